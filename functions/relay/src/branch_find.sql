-- The chat ?1 of the caller ?2 (NULL: any caller), its running reply, and the message ?3 of this chat.
SELECT chat.rev, chat.head_id, running.id AS "running.id", running.heartbeat AS "running.heartbeat",
    message.id AS message_id
FROM chat
LEFT JOIN generation AS running ON running.chat_id = chat.id AND running.status = 'running'
LEFT JOIN chat_conversation AS message ON message.id = ?3 AND message.chat_id = chat.id
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
