-- The model called ?2 of the user ?1.
SELECT id, base_url FROM model WHERE user_id = ?1 AND name = ?2 ORDER BY rowid LIMIT 1
