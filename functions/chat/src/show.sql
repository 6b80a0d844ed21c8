-- The chat ?1 of the caller ?2 (NULL: any caller who knows the id), with its running reply. One whose heartbeat is
-- not within ?4 of ?3, which is now, has lost its writer, and is running no more, although no request has marked it yet.
-- Nothing is counted that grows with the chat: messages have positions from 1 on, and its gaps are known.
SELECT chat.id AS id, chat.name AS name, chat.last_updated AS last_updated, chat.num_versions AS num_versions,
    chat.workspace_id AS workspace_id, chat.rev AS rev,
    max(0, coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = chat.id), 0) - chat.num_gaps) AS num_messages,
    reply.id AS "generation.id", reply.message_id AS "generation.message_id", reply.model AS "generation.model",
    reply.seq AS "generation.seq"
FROM chat
LEFT JOIN generation AS reply ON reply.chat_id = chat.id AND reply.status = 'running' AND reply.heartbeat BETWEEN ?3 - ?4 AND ?3 + ?4
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
