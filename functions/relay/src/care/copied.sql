-- The chat ?1 of the caller ?2 (NULL: any caller), and what a copy of its branch that ends with the message ?3 takes: how many
-- messages, files and bytes; and what its owner has. At most ?4 messages and one more are counted.
WITH RECURSIVE up (id, parent_id, bytes, turn) AS (
    SELECT message.id, message.parent_id, octet_length(content) + octet_length(reasoning), 1
    FROM chat JOIN chat_conversation AS message ON message.id = ?3 AND message.chat_id = chat.id
    WHERE chat.id = ?1
    UNION ALL
    SELECT message.id, message.parent_id, octet_length(content) + octet_length(reasoning), turn + 1
    FROM up JOIN chat_conversation AS message ON message.id = up.parent_id
    WHERE turn <= ?4
)
SELECT chat.name AS name, chat.workspace_id AS workspace_id, chat.user_id AS user_id, chat.num_files AS num_files,
    (SELECT count(*) FROM up) AS num_messages,
    (SELECT coalesce(sum(bytes), 0) FROM up) + coalesce((
        SELECT sum(octet_length(version.content)) FROM chat_file AS file
        JOIN chat_file_version AS version ON version.chat_file_id = file.id WHERE file.chat_id = chat.id
    ), 0) + coalesce(octet_length(chat.extra), 0) + coalesce(octet_length(chat.instructions), 0) AS bytes,
    EXISTS (SELECT 1 FROM chat_conversation WHERE id = ?3 AND status = 'running') AS is_running,
    owner.stored_bytes AS stored_bytes, owner.num_chats AS owned_chats, owner.num_files AS owned_files
FROM chat JOIN "user" AS owner ON owner.id = chat.user_id
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
