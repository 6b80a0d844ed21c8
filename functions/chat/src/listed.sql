-- The chat ?1 of the caller ?2 (NULL: any caller who knows the id), as it is in lists. A reply whose heartbeat is not within ?4
-- of ?3, which is now, runs no more.
SELECT chat.id AS id, chat.name AS name, chat.workspace_id AS workspace_id, chat.preview AS preview,
    chat.is_pinned AS is_pinned, chat.is_archived AS is_archived,
    strftime('%Y-%m-%dT%H:%M:%f000+00:00', chat.active_at / 1000.0, 'unixepoch') AS active_at,
    reply.id AS "generation.id", reply.message_id AS "generation.message_id", reply.model AS "generation.model",
    reply.seq AS "generation.seq"
FROM listed_chat AS chat
LEFT JOIN generation AS reply ON reply.chat_id = chat.id AND reply.status = 'running'
    AND reply.heartbeat BETWEEN ?3 - ?4 AND ?3 + ?4
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
