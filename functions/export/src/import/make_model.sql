-- The model ?1 of the user ?5, for a request from ?7, unless they have ?6, or one of that name.
INSERT INTO model (id, name, ak, base_url, user_id, key_set_from, context_chars, timeout_seconds, query, key_header)
SELECT ?1, ?2, ?3, ?4, id, ?7, ?8, ?9, ?10, ?11 FROM "user"
WHERE id = ?5 AND (SELECT count(*) FROM model WHERE user_id = ?5) < ?6
    AND NOT EXISTS (SELECT 1 FROM model WHERE user_id = ?5 AND name = ?2)
RETURNING id
