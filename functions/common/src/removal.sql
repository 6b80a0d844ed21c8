-- What the workspace ?1 of the caller ?2 (NULL: whoever knows the id) holds; where ?1 is NULL, what all workspaces of
-- the user ?2 hold, and their sessions. Of chats and of files, which come after them, ?3 at most. What it takes to
-- delete one is measured in messages of usual length: a message is one, and one more for each 8 KiB of it; a chat or a
-- file counts as 50, a chat's file, a version, and each 256 KiB of a content as 25.
WITH place (id) AS (
    SELECT id FROM workspace WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)
    UNION ALL
    SELECT id FROM workspace WHERE ?1 IS NULL AND owner_id = ?2
)
SELECT 'session', id, 0 FROM session WHERE ?1 IS NULL AND user_id = ?2
UNION ALL
SELECT 'chat', id,
    50 + (SELECT count(*) + coalesce(sum(octet_length(content)), 0) / 8192 FROM chat_conversation WHERE chat_id = held.id)
    + 25 * (
        SELECT count(*) FROM chat_file AS file LEFT JOIN chat_file_version AS version ON version.chat_file_id = file.id
        WHERE file.chat_id = held.id
    )
FROM (SELECT chat.id FROM place JOIN chat ON chat.workspace_id = place.id LIMIT ?3) AS held
UNION ALL
SELECT 'file', id, 50 + 25 * (size / 262144)
FROM (
    SELECT file.id, content.size
    FROM place JOIN file ON file.workspace_id = place.id JOIN content ON content.id = file.content_id
    LIMIT ?3
) AS held
