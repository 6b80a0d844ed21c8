-- Adds files to the chat ?1 of the user ?2: each with its id, name and place, and the id in the archive and the new one of the
-- file that was attached. One that has not come is attached later.
WITH target (chat, user) AS (SELECT ?1, ?2), new (id, filename, path, source, made) AS (VALUES (?3, ?4, ?5, ?6, ?7))
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id, rev)
SELECT new.id, new.filename, new.path, target.chat, file.id, file.content_id, 1
FROM target CROSS JOIN new LEFT JOIN file ON file.id = (
    SELECT found.id FROM file AS found JOIN workspace ON workspace.id = found.workspace_id
    WHERE found.id IN (new.source, new.made) AND workspace.owner_id = target.user
    ORDER BY found.id = new.source DESC LIMIT 1
)
