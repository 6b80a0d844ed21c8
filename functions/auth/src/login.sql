-- Everything a person has, as the JSON of the login's answer: one row, or none if nobody has this e-mail.
-- The outer levels are put together as text, because json_object() would parse and copy the inner ones again; the lists
-- at the bottom are the JSON functions' work, which is faster than text. Lists are in rowid order, which is insertion
-- order. Of chats there may be thousands, so they are read in the order of their index, which is that, and only those
-- that have files are asked for versions: with 20 x 500 chats that is 10 ms instead of 18. The column has a name because
-- it would be called by the whole expression otherwise, and its name is part of every answer of the database.
SELECT '{"user_id":' || json_quote(u.id) || ',"email":' || json_quote(u.email) || ',"workspaces":[' || coalesce((
    SELECT group_concat(
        '{"id":' || json_quote(w.id) || ',"name":' || json_quote(w.name) || ',"files":' || (
            SELECT json_group_array(json_object('id', id, 'filename', filename))
            FROM (SELECT id, filename FROM file WHERE workspace_id = w.id ORDER BY rowid)
        ) || ',"chats":' || (
            SELECT json_group_array(json_object(
                'id', c.id, 'name', c.name, 'last_updated', c.last_updated,
                'num_versions', CASE WHEN EXISTS (SELECT 1 FROM chat_file WHERE chat_id = c.id) THEN (
                    SELECT count(*) FROM chat_file f JOIN chat_file_version v ON v.chat_file_id = f.id
                    WHERE f.chat_id = c.id
                ) ELSE 0 END
            ))
            FROM chat c INDEXED BY chat_workspace_id WHERE c.workspace_id = w.id
        ) || '}', ',')
    FROM (SELECT id, name FROM workspace WHERE owner_id = u.id ORDER BY rowid) w
), '') || '],"models":' || (
    SELECT json_group_array(json_object('id', id, 'name', name, 'base_url', base_url, 'user_id', user_id))
    FROM (SELECT id, name, base_url, user_id FROM model WHERE user_id = u.id ORDER BY rowid)
) || '}' AS answer
FROM "user" u
WHERE u.email = ?1
