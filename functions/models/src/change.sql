-- Changes the model ?1, for a request from ?12. What its refusals have taught is forgotten where it may hold no more (?11); ?13: whether it takes images.
UPDATE model SET name = ?2, base_url = ?3, ak = ?4, context_chars = ?5, timeout_seconds = ?6, headers = ?7,
    header_names = ?8, query = ?9, key_header = ?10, learnt = iif(?11, NULL, learnt),
    key_set_from = iif(ak = ?4, key_set_from, ?12), takes_images = ?13
WHERE id = ?1
RETURNING id, name, base_url, user_id, context_chars, timeout_seconds, header_names AS headers, query, key_header,
    takes_images AS "capabilities.images"
