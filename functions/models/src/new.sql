-- Adds, for a request from ?7, the model ?1 of the user ?5: no row if the user doesn't exist, has ?6 models, or one of that name. ?8: whether it takes images. (Users may still
-- have several of a name from before that was looked at, so no index can say it.)
INSERT INTO model (id, name, ak, base_url, user_id, key_set_from, takes_images)
SELECT ?1, ?2, ?3, ?4, id, ?7, ?8 FROM "user"
WHERE id = ?5 AND (SELECT count(*) FROM model WHERE user_id = ?5) < ?6
    AND NOT EXISTS (SELECT 1 FROM model WHERE user_id = ?5 AND name = ?2)
RETURNING id, name, base_url, user_id, context_chars, timeout_seconds, header_names AS headers, query, key_header,
    takes_images AS "capabilities.images"
