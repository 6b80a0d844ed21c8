-- The reply ?1 of the chat ?2 of the caller ?3 (NULL: any caller), and its message; of a text that grows, the bytes after
-- the first ?4, and of reasoning those after the first ?5; in bytes, because SQLite takes U+0000 for the end of a text.
SELECT message.id AS "message.id", message.parent_id AS "message.parent_id", message.role AS "message.role",
    message.type AS "message.type",
    iif(reply.status = 'running' AND ?4 > 0,
        coalesce(CAST(substr(CAST(message.content AS BLOB), ?4 + 1) AS TEXT), ''), message.content) AS "message.content",
    iif(reply.status = 'running' AND ?5 > 0,
        coalesce(CAST(substr(CAST(message.reasoning AS BLOB), ?5 + 1) AS TEXT), ''), message.reasoning)
        AS "message.reasoning",
    NULL AS "message.finish_reason", NULL AS "message.usage", NULL AS "message.error",
    message.rating AS "message.rating", message.note AS "message.note",
    message.file_ids AS "message.file_ids",
    message.status AS "message.status", message.model AS "message.model", message.created_at AS "message.created_at",
    reply.seq, reply.status, reply.heartbeat, reply.finish_reason, reply.usage, reply.error,
    chat.rev, message.rev AS message_rev
FROM generation AS reply
JOIN chat ON chat.id = reply.chat_id
JOIN chat_conversation AS message ON message.id = reply.message_id
WHERE reply.id = ?1 AND chat.id = ?2 AND (?3 IS NULL OR chat.user_id = ?3)
