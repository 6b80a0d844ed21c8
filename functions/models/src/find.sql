-- The model ?1 of the user ?2 (NULL: of any user), and whether another one of its owner has the name ?3.
SELECT name, base_url, ak, user_id, context_chars, timeout_seconds, headers, header_names, query, key_header, takes_images,
    EXISTS (SELECT 1 FROM model AS other
        WHERE other.user_id = model.user_id AND other.name = ?3 AND other.id <> model.id) AS name_is_taken
FROM model WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
