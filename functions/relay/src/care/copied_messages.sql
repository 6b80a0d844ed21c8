-- The messages of the branch that ends with the message ?1, oldest first, and what each counts for in a part; at most ?2.
WITH RECURSIVE up (id, parent_id, file_ids, amount, turn) AS (
    SELECT id, parent_id, file_ids, 1 + (octet_length(content) + octet_length(reasoning)) / 8192, 1
    FROM chat_conversation WHERE id = ?1
    UNION ALL
    SELECT message.id, message.parent_id, message.file_ids, 1 + (octet_length(content) + octet_length(reasoning)) / 8192, turn + 1
    FROM up JOIN chat_conversation AS message ON message.id = up.parent_id
    WHERE turn < ?2
)
SELECT id, amount, file_ids FROM up ORDER BY turn DESC
