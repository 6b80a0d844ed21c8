-- How many things of the list ?3 of the user ?1, of the kind ?2, are as far as it says.
SELECT count(*) FROM json_each(?3) AS item CROSS JOIN search_pending AS pending
    ON pending.user_id = ?1 AND pending.kind = ?2 AND pending.source_id = item.value ->> 0
WHERE pending.done = item.value ->> 1
