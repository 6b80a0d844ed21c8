-- Adds files to the chat ?1 of the user ?2: each with its id, name and place, and the id in the archive and the new one of the
-- file that was attached. One that has not come is attached later.
WITH target (chat, user) AS (SELECT ?1, ?2), added (id, filename, path, source, made) AS (VALUES (?3, ?4, ?5, ?6, ?7)),
found (id, filename, path, chat, file) AS (
    SELECT added.id, added.filename, added.path, target.chat, coalesce((
        SELECT file.id FROM file JOIN workspace ON workspace.id = file.workspace_id
        WHERE file.id = added.source AND workspace.owner_id = target.user
    ), (
        SELECT file.id FROM file JOIN workspace ON workspace.id = file.workspace_id
        WHERE file.id = added.made AND workspace.owner_id = target.user
    ))
    FROM target CROSS JOIN added
)
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id, rev)
SELECT found.id, found.filename, found.path, found.chat, found.file,
    (SELECT content_id FROM file WHERE file.id = found.file), 1
FROM found
