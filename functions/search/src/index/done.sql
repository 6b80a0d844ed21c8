-- The things of the list ?3 of the user ?1, of the kind ?2, are done as far as it says.
UPDATE search_pending SET done = (
    SELECT item.value ->> 1 FROM json_each(?3) AS item WHERE item.value ->> 0 = source_id
)
WHERE user_id = ?1 AND kind = ?2 AND source_id IN (SELECT value ->> 0 FROM json_each(?3))
