-- The chat ?1 of the caller ?2 (NULL: any caller who knows the id), its running reply, and of its messages the first ?4 after
-- rev ?3; or, if that is NULL, the last ?4 of the active branch. All at one moment, and not more
-- than about ?5 bytes of messages, but at least one. After a rev, the running reply is shown beside the messages and
-- takes of their room. Reasoning of more than 64 KiB is left out. The first row is the chat, with whether any of its files changed after the rev, and then the ids
-- of all of them, if there are at most ?6; then come the messages, oldest first.
-- A rev before that of the last deletion of messages is as none for messages: has_forgotten.
-- Only places and lengths are carried along: a message is read when it is chosen.
WITH RECURSIVE
asked AS (SELECT *, iif(?3 < deleted_rev, NULL, ?3) AS since FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)),
running AS (
    SELECT reply.id, message_id, status, model, seq, heartbeat FROM asked
    JOIN generation AS reply ON reply.chat_id = asked.id AND reply.status = 'running'
),
branch (place, parent_id, turn) AS (
    SELECT message.rowid, message.parent_id, 0 FROM asked
    JOIN chat_conversation AS message ON message.id = asked.head_id
    WHERE asked.since IS NULL
    UNION ALL
    SELECT parent.rowid, parent.parent_id, branch.turn + 1
    FROM branch JOIN chat_conversation AS parent ON parent.id = branch.parent_id
    WHERE branch.turn < ?4
),
newer (place, turn) AS (
    SELECT message.rowid, message.rev FROM asked
    JOIN chat_conversation AS message ON message.chat_id = asked.id AND message.rev > asked.since
    ORDER BY message.rev LIMIT ?4 + 1
),
measured AS (
    SELECT place, turn,
        iif((SELECT since FROM asked) IS NOT NULL AND message.id = (SELECT message_id FROM running), 0,
            octet_length(content) + min(octet_length(reasoning), 65536)) + 400 AS bytes
    FROM (SELECT place, turn FROM branch UNION ALL SELECT place, turn FROM newer)
    JOIN chat_conversation AS message ON message.rowid = place
),
chosen AS (
    SELECT place AS chosen_place, row_number() OVER (ORDER BY turn) AS number,
        sum(bytes) OVER (ORDER BY turn ROWS UNBOUNDED PRECEDING) AS total
    FROM measured
),
room (bytes) AS (
    SELECT ?5 - coalesce((
        SELECT octet_length(content) + octet_length(reasoning) FROM running JOIN chat_conversation AS message ON message.id = running.message_id
        WHERE (SELECT since FROM asked) IS NOT NULL
    ), 0)
)
SELECT NULL AS place, asked.name AS "chat.name", asked.workspace_id AS "chat.workspace_id",
    asked.head_id AS "chat.head_id", asked.rev AS "chat.rev",
    (SELECT json_group_array(name)
     FROM (SELECT name FROM model WHERE user_id = asked.user_id ORDER BY rowid LIMIT 200)) AS "chat.models",
    (SELECT count(*) FROM chosen) AS "chat.num_messages",
    EXISTS (SELECT 1 FROM chat_file WHERE chat_id = asked.id AND rev > coalesce(?3, -1)) AS "chat.has_files",
    CASE WHEN ?3 IS NOT NULL THEN (
        SELECT iif(count(*) > ?6, NULL, json_group_array(id))
        FROM (SELECT id FROM chat_file WHERE chat_id = asked.id ORDER BY rowid LIMIT ?6 + 1)
    ) END AS "chat.file_ids",
    asked.since IS NOT ?3 AS "chat.has_forgotten",
    running.id AS "chat.running.generation.id", running.message_id AS "chat.running.generation.message_id",
    running.status AS "chat.running.generation.status", running.model AS "chat.running.generation.model",
    text.content AS "chat.running.generation.content", text.reasoning AS "chat.running.generation.reasoning",
    running.seq AS "chat.running.generation.seq", running.heartbeat AS "chat.running.heartbeat",
    NULL AS "message.id", NULL AS "message.parent_id", NULL AS "message.role", NULL AS "message.type",
    NULL AS "message.content", NULL AS "message.status", NULL AS "message.model", NULL AS "message.created_at",
    NULL AS "message.reasoning", NULL AS "message.finish_reason", NULL AS "message.usage", NULL AS "message.error",
    NULL AS "message.rating", NULL AS "message.note", NULL AS "message.file_ids",
    NULL AS rev
FROM asked
LEFT JOIN running
LEFT JOIN chat_conversation AS text ON text.id = running.message_id
UNION ALL
SELECT position, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    message.id, parent_id, role, type, content, message.status, message.model, created_at,
    iif(octet_length(reasoning) > 65536, NULL, reasoning), reply.finish_reason, reply.usage, reply.error, rating, note,
    iif(message.file_ids IS NULL, NULL, (
        SELECT json_group_array(id) FROM (
            SELECT file.id FROM json_each(message.file_ids) AS item JOIN chat_file AS file ON file.id = item.value ORDER BY item.key
        )
    )), rev
FROM chosen JOIN chat_conversation AS message ON message.rowid = chosen_place
LEFT JOIN generation AS reply ON reply.rowid = (SELECT max(rowid) FROM generation WHERE message_id = message.id)
WHERE number = 1 OR (number <= ?4 AND total <= (SELECT bytes FROM room))
ORDER BY place
