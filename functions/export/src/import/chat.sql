-- The chat of the user ?1 that is the archive's ?2 itself, or was made of it as ?3.
SELECT id FROM chat WHERE user_id = ?1 AND id IN (?2, ?3) LIMIT 1
