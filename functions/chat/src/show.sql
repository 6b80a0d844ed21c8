-- The chat ?1 of the caller ?2 (NULL: whoever knows the id), with its running reply. One whose heartbeat is
-- not within ?4 of ?3, which is now, has lost its writer, and is running no more, although nobody has marked it yet.
SELECT chat.id, chat.name, chat.last_updated, (
        SELECT count(*) FROM chat_file AS file JOIN chat_file_version AS version ON version.chat_file_id = file.id
        WHERE file.chat_id = chat.id
    ), chat.workspace_id, chat.rev,
    (SELECT count(*) FROM chat_conversation WHERE chat_id = chat.id),
    reply.id, reply.message_id, reply.model, reply.seq
FROM chat
LEFT JOIN generation AS reply ON reply.chat_id = chat.id AND reply.status = 'running' AND reply.heartbeat BETWEEN ?3 - ?4 AND ?3 + ?4
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
