-- The first ?2 things that are to be indexed of the user ?1. Of a chat `last` is the position up to which there may be
-- messages to index: the last one, or that before a reply which is still being written.
SELECT kind, source_id, done,
    CASE WHEN kind = 'conversation' THEN coalesce(
        (
            SELECT message.position - 1 FROM generation AS reply
            JOIN chat_conversation AS message ON message.id = reply.message_id
            WHERE reply.chat_id = source_id AND reply.status = 'running'
        ),
        (SELECT max(position) FROM chat_conversation WHERE chat_id = source_id),
        0
    ) END AS last
FROM search_pending
WHERE user_id = ?1 ORDER BY kind, source_id LIMIT ?2
