-- Everything a person has, as the JSON of the login's answer: one row, or none if nobody has this e-mail.
-- Text is put together rather than by json_object(), which would build and parse every inner value again one level up.
-- Rows come in rowid order, which is insertion order; the indexes on the foreign keys have it for nothing.
SELECT '{"user_id":' || json_quote(u.id) || ',"email":' || json_quote(u.email) || ',"workspaces":[' || coalesce((
    SELECT group_concat(
        '{"id":' || json_quote(w.id) || ',"name":' || json_quote(w.name) || ',"files":[' || coalesce((
            SELECT group_concat('{"id":' || json_quote(id) || ',"filename":' || json_quote(filename) || '}', ',')
            FROM (SELECT id, filename FROM file WHERE workspace_id = w.id ORDER BY rowid)
        ), '') || '],"chats":[' || coalesce((
            SELECT group_concat(
                '{"id":' || json_quote(c.id) || ',"name":' || json_quote(c.name)
                || ',"last_updated":' || json_quote(c.last_updated) || ',"num_versions":' || (
                    SELECT count(*) FROM chat_file f JOIN chat_file_version v ON v.chat_file_id = f.id
                    WHERE f.chat_id = c.id
                ) || '}', ',')
            FROM (SELECT id, name, last_updated FROM chat WHERE workspace_id = w.id ORDER BY rowid) c
        ), '') || ']}', ',')
    FROM (SELECT id, name FROM workspace WHERE owner_id = u.id ORDER BY rowid) w
), '') || '],"models":[' || coalesce((
    SELECT group_concat(
        '{"id":' || json_quote(id) || ',"name":' || json_quote(name) || ',"base_url":' || json_quote(base_url)
        || ',"user_id":' || json_quote(user_id) || '}', ',')
    FROM (SELECT id, name, base_url, user_id FROM model WHERE user_id = u.id ORDER BY rowid)
), '') || ']}'
FROM "user" u
WHERE u.email = ?1
