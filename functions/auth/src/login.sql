-- A user with their rows, as the JSON of the login's answer: one row, or none if there is no account.
--
-- The answer is bounded: the newest 1,000 workspaces and 200 models, and of a workspace the newest
-- 1,000 files and 1,000 chats. Of all workspaces together it is 5,000 files and 10,000 chats; where there are more, each
-- workspace that has any gets as many as the others. (A file's name may have 1,024 bytes and a chat's 255 characters,
-- and each may be written as six.) If some are left out, has_more is true; otherwise it is missing. The
-- numbers are columns of the rows.
--
-- The outer levels are put together as text, because json_object() would parse and copy the inner ones again; the lists
-- at the bottom are the JSON functions' work, which is faster than text. Lists are in rowid order, which is insertion
-- order. Of chats there may be thousands, so they are read in the order of their index, which is that. The column has a
-- name because it would be called by the whole expression otherwise, and its name is part of every answer of the
-- database.
--
-- The user is ?3, or has the e-mail ?1, in lower case ?2. Of several with an e-mail that differs in case only, which older
-- databases may have, it is the one with exactly this spelling, else the oldest.
WITH u AS (
    SELECT id, email, num_workspaces, disabled_at FROM "user" WHERE id = coalesce(?3, (
        SELECT id FROM "user" WHERE email_key = ?2 OR email = ?1 ORDER BY email = ?1 DESC, rowid LIMIT 1
    ))
),
listed AS MATERIALIZED (
    SELECT rowid AS place, id, name, num_files, num_chats
    FROM workspace WHERE owner_id = (SELECT id FROM u) ORDER BY rowid DESC LIMIT 1000
),
share AS MATERIALIZED (
    SELECT
        CASE WHEN total(min(num_files, 1000)) <= 5000 THEN 1000
            ELSE 5000 / count(*) FILTER (WHERE num_files > 0) END AS files,
        CASE WHEN total(min(num_chats, 1000)) <= 10000 THEN 1000
            ELSE 10000 / count(*) FILTER (WHERE num_chats > 0) END AS chats
    FROM listed
),
w AS MATERIALIZED (
    SELECT listed.*, num_files > share.files OR num_chats > share.chats AS has_more,
        CASE WHEN num_files > share.files THEN (
            SELECT min(place) FROM (
                SELECT rowid AS place, row_number() OVER (ORDER BY rowid DESC) AS number
                FROM file WHERE workspace_id = listed.id LIMIT 1000
            ) AS newest WHERE number <= share.files
        ) ELSE 0 END AS first_file,
        CASE WHEN num_chats > share.chats THEN (
            SELECT min(place) FROM (
                SELECT rowid AS place, row_number() OVER (ORDER BY rowid DESC) AS number
                FROM chat WHERE workspace_id = listed.id LIMIT 1000
            ) AS newest WHERE number <= share.chats
        ) ELSE 0 END AS first_chat
    FROM listed, share ORDER BY place
)
SELECT '{"user_id":' || json_quote(u.id) || ',"email":' || json_quote(u.email) || ',"workspaces":[' || coalesce((
    SELECT group_concat(
        '{"id":' || json_quote(w.id) || ',"name":' || json_quote(w.name) || ',"files":' || (
            SELECT json_group_array(json_object('id', id, 'filename', filename))
            FROM (
                SELECT id, filename FROM file
                WHERE workspace_id = w.id AND file.rowid >= w.first_file ORDER BY file.rowid
            )
        ) || ',"chats":' || (
            SELECT json_group_array(json_object(
                'id', c.id, 'name', c.name, 'last_updated', c.last_updated, 'num_versions', c.num_versions
            ))
            FROM chat c INDEXED BY chat_workspace_id WHERE c.workspace_id = w.id AND c.rowid >= w.first_chat
        ) || iif(w.has_more, ',"has_more":true}', '}'), ',')
    FROM w
), '') || '],"models":' || (
    SELECT json_group_array(json_object('id', id, 'name', name, 'base_url', base_url, 'user_id', user_id,
        'capabilities', json_object('images', json(CASE takes_images WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END))))
    FROM (
        SELECT id, name, base_url, user_id, takes_images FROM (
            SELECT rowid AS place, id, name, base_url, user_id, takes_images FROM model
            WHERE user_id = u.id ORDER BY rowid DESC LIMIT 200
        ) AS newest ORDER BY place
    )
) || iif(
    u.num_workspaces > 1000 OR EXISTS (SELECT 1 FROM model WHERE user_id = u.id LIMIT 1 OFFSET 200),
    ',"has_more":true}', '}'
) AS answer, u.id AS user_id, u.disabled_at IS NOT NULL AS is_disabled
FROM u
