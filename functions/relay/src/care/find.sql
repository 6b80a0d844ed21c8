-- The chat ?1 of the caller ?2 (NULL: any caller), its running reply, the message ?3 of this chat and the one that it
-- follows; how many messages the chat has; and whether one that is not in the list ?4 follows one of it.
SELECT chat.head_id AS head_id, running.id AS "running.id", running.heartbeat AS "running.heartbeat",
    message.id AS message_id, message.parent_id AS parent_id,
    coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = chat.id), 0) - chat.num_gaps AS num_messages,
    EXISTS (
        SELECT 1 FROM json_each(?4) AS doomed JOIN chat_conversation AS next ON next.parent_id = doomed.value
        WHERE next.id NOT IN (SELECT value FROM json_each(?4))
    ) AS has_more
FROM chat
LEFT JOIN generation AS running ON running.chat_id = chat.id AND running.status = 'running'
LEFT JOIN chat_conversation AS message ON message.id = ?3 AND message.chat_id = chat.id
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
