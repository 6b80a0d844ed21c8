-- A page of the chat ?1 of the caller ?2 (NULL: any caller who knows the id). With ?3: what comes before that message, going up
-- from it. With ?4: what comes after that message, going down from it by the highest `selected`; empty: from the first.
-- With neither: the end of the active branch. Each at most ?5 messages and one more, which tells whether there are more,
-- and not more than about ?6 bytes, but at least one. The first row is the chat, with whether there is the message that
-- was named, and its running reply; then come the messages, nearest to it first.
WITH RECURSIVE
asked AS (SELECT id, head_id FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)),
named AS (
    SELECT message.id, message.parent_id FROM asked
    JOIN chat_conversation AS message ON message.id = coalesce(?3, ?4) AND message.chat_id = asked.id
),
up (id, turn) AS (
    SELECT CASE WHEN ?3 IS NULL THEN (SELECT head_id FROM asked) ELSE (SELECT parent_id FROM named) END, 1
    WHERE ?4 IS NULL
    UNION ALL
    SELECT (SELECT parent_id FROM chat_conversation WHERE id = up.id), turn + 1
    FROM up WHERE up.id IS NOT NULL AND turn <= ?5
),
down (id, turn) AS (
    SELECT CASE ?4
        WHEN '' THEN (
            SELECT id FROM chat_conversation WHERE chat_id = (SELECT id FROM asked) AND parent_id IS NULL
            ORDER BY selected DESC, rowid DESC LIMIT 1
        )
        ELSE (
            SELECT id FROM chat_conversation WHERE parent_id = (SELECT id FROM named)
            ORDER BY selected DESC, rowid DESC LIMIT 1
        )
    END, 1
    WHERE ?4 IS NOT NULL
    UNION ALL
    SELECT (
        SELECT id FROM chat_conversation WHERE parent_id = down.id ORDER BY selected DESC, rowid DESC LIMIT 1
    ), turn + 1
    FROM down WHERE down.id IS NOT NULL AND turn <= ?5
),
chosen AS (
    SELECT message.id, turn, sum(octet_length(content) + octet_length(reasoning) + 400) OVER (ORDER BY turn ROWS UNBOUNDED PRECEDING) AS total
    FROM (SELECT id AS chosen_id, turn FROM up UNION ALL SELECT id, turn FROM down)
    JOIN chat_conversation AS message ON message.id = chosen_id
)
SELECT 0 AS turn, asked.head_id AS "chat.head_id", (SELECT count(*) FROM named) AS "chat.num_named",
    (SELECT count(*) FROM chosen) AS "chat.num_messages", running.id AS "chat.running.id",
    running.heartbeat AS "chat.running.heartbeat",
    NULL AS "message.id", NULL AS "message.parent_id", NULL AS "message.role", NULL AS "message.type",
    NULL AS "message.content", NULL AS "message.status", NULL AS "message.model", NULL AS "message.created_at",
    NULL AS "message.reasoning", NULL AS "message.finish_reason", NULL AS "message.usage", NULL AS "message.error",
    NULL AS "message.rating", NULL AS "message.note", NULL AS "message.file_ids",
    NULL AS siblings
FROM asked
LEFT JOIN generation AS running ON running.chat_id = asked.id AND running.status = 'running'
UNION ALL
SELECT turn, NULL, NULL, NULL, NULL, NULL, message.id, parent_id, role, type, content, message.status, message.model,
    created_at, reasoning, reply.finish_reason, reply.usage, reply.error, rating, note,
    iif(message.file_ids IS NULL, NULL, (
        SELECT json_group_array(id) FROM (
            SELECT file.id FROM json_each(message.file_ids) AS item JOIN chat_file AS file ON file.id = item.value ORDER BY item.key
        )
    )), (
    SELECT json_group_array(id) FROM (
        SELECT id FROM (
            SELECT id, position, id = message.id AS itself FROM chat_conversation
            WHERE parent_id = message.parent_id
            UNION ALL
            SELECT id, position, id = message.id FROM chat_conversation INDEXED BY chat_conversation_root
            WHERE message.parent_id IS NULL AND chat_id = message.chat_id AND parent_id IS NULL
            ORDER BY itself DESC, position LIMIT 100
        )
        ORDER BY position
    )
)
FROM chosen JOIN chat_conversation AS message ON message.id = chosen.id
LEFT JOIN generation AS reply ON reply.rowid = (SELECT max(rowid) FROM generation WHERE message_id = message.id)
WHERE turn = 1 OR (turn <= ?5 AND total <= ?6)
ORDER BY turn
