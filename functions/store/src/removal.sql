-- What the workspace ?1 of the caller ?2 (NULL: any caller who knows the id) holds; where ?1 is NULL, what the first ?3
-- workspaces of the user ?2 hold, those workspaces and the user's models after it, and their sessions. Of each at most
-- ?3. The files of a workspace that a chat of another one has stay: they move there when their workspace goes.
--
-- What it takes to delete one is measured in messages of usual length: a message is one, and one more for each 8 KiB of
-- it; a chat or a file counts as 50, a chat's file, a version, and each 256 KiB of a content as 25. Of chats those are
-- listed whose messages are within ?4 together, and one more, and only of those the texts are measured: a request that wants to
-- write waits for this. A chat's last position is how many messages it has, or a little more.
WITH place (id) AS (
    SELECT id FROM workspace WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)
    UNION ALL
    SELECT id FROM (SELECT id FROM workspace WHERE ?1 IS NULL AND owner_id = ?2 ORDER BY rowid LIMIT ?3)
),
held AS MATERIALIZED (
    SELECT chat.id, 50 + 25 * (num_files + num_versions)
        + coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = chat.id), 0) AS amount
    FROM place JOIN chat ON chat.workspace_id = place.id LIMIT ?3
),
counted AS (
    SELECT id, amount, sum(amount) OVER (ROWS UNBOUNDED PRECEDING) - amount AS before FROM held
)
SELECT 'session' AS kind, id AS id, 0 AS amount FROM session WHERE ?1 IS NULL AND user_id = ?2
UNION ALL
SELECT 'chat', id, amount + CASE WHEN amount <= ?4 THEN (
    SELECT coalesce(sum((octet_length(content) + octet_length(reasoning)) / 8192), 0) FROM chat_conversation WHERE chat_id = counted.id
) ELSE 0 END
FROM counted WHERE before <= ?4
UNION ALL
SELECT 'file', id, 50 + 25 * (size / 262144)
FROM (
    SELECT file.id, content.size
    FROM place JOIN file ON file.workspace_id = place.id JOIN content ON content.id = file.content_id
    WHERE ?1 IS NULL OR NOT EXISTS (
        SELECT 1 FROM chat_file JOIN chat ON chat.id = chat_file.chat_id
        WHERE chat_file.file_id = file.id AND chat.workspace_id <> ?1
    )
    LIMIT ?3
) AS held
UNION ALL
SELECT 'workspace', id, 50 FROM place WHERE ?1 IS NULL
UNION ALL
SELECT 'model', id, 50 FROM (SELECT id FROM model WHERE ?1 IS NULL AND user_id = ?2 LIMIT ?3) AS held
