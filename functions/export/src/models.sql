-- The models of the user ?1, in the order in which they were made, without what is secret.
SELECT id, name, base_url, user_id, context_chars, timeout_seconds, header_names AS headers, query, key_header,
    takes_images AS "capabilities.images"
FROM model WHERE user_id = ?1 ORDER BY rowid
