-- The workspace of the user ?1 that is the archive's ?2 itself, or was made of it as ?3.
SELECT id FROM workspace WHERE owner_id = ?1 AND id IN (?2, ?3) ORDER BY id = ?2 DESC LIMIT 1
