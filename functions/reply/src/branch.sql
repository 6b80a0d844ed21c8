-- The last ?2 messages of the branch that ends with the prompt ?1, oldest first, as far back as there may be room for ?3
-- characters; the prompt is whole. In bytes, because SQLite takes U+0000 for the end of a text.
WITH RECURSIVE branch (id, parent_id, depth) AS (
    SELECT id, parent_id, 0 FROM chat_conversation WHERE id = ?1
    UNION ALL
    SELECT parent.id, parent.parent_id, branch.depth + 1
    FROM branch JOIN chat_conversation AS parent ON parent.id = branch.parent_id
    WHERE branch.depth < ?2
)
-- `substr` of an empty text is NULL.
SELECT role, type, file_ids, coalesce(substr(CAST(content AS BLOB), 1, iif(depth, 4 * ?3, octet_length(content))), x'') AS content FROM (
    SELECT branch.depth, message.role, message.type, message.content, message.file_ids,
        sum(octet_length(message.content)) OVER (ORDER BY branch.depth) - octet_length(message.content) AS before
    FROM branch JOIN chat_conversation AS message ON message.id = branch.id
)
WHERE before <= 4 * ?3
ORDER BY depth DESC
