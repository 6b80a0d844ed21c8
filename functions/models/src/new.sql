-- Adds the model ?1 of the user ?5: no row if the user doesn't exist, or has ?6 models.
INSERT INTO model (id, name, ak, base_url, user_id)
SELECT ?1, ?2, ?3, ?4, id FROM "user"
WHERE id = ?5 AND (SELECT count(*) FROM model WHERE user_id = ?5) < ?6
RETURNING id, name, base_url, user_id, context_chars, timeout_seconds, header_names AS headers, query, key_header
