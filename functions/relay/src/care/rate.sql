-- The chat ?1 of the caller ?2 (NULL: any caller), and whether its message ?3 is there, and is a reply.
SELECT chat.id AS id, message.id IS NOT NULL AS is_there,
    coalesce(message.role = 'assistant' AND message.type = 'text', 0) AS is_reply
FROM chat
LEFT JOIN chat_conversation AS message ON message.id = ?3 AND message.chat_id = chat.id
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
