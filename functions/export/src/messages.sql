-- The first ?3 messages behind the number ?2 of the chat ?1, of all branches, and not more than about ?4 bytes, but at least
-- one.
WITH page AS (
    SELECT place, sum(bytes) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) - bytes AS before
    FROM (
        SELECT rowid AS place, position, octet_length(content) + octet_length(reasoning) AS bytes
        FROM chat_conversation WHERE chat_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3
    )
)
SELECT message.position AS position, parent.position AS parent_position, message.selected AS selected,
    message.id AS "message.id", message.parent_id AS "message.parent_id", message.role AS "message.role",
    message.type AS "message.type", message.content AS "message.content", message.status AS "message.status",
    message.model AS "message.model", message.created_at AS "message.created_at",
    message.reasoning AS "message.reasoning", reply.finish_reason AS "message.finish_reason",
    reply.usage AS "message.usage", reply.error AS "message.error",
    message.rating AS "message.rating", message.note AS "message.note",
    iif(message.file_ids IS NULL, NULL, (
        SELECT json_group_array(id) FROM (
            SELECT file.id FROM json_each(message.file_ids) AS item JOIN chat_file AS file ON file.id = item.value ORDER BY item.key
        )
    )) AS "message.file_ids",
    iif(message.file_ids IS NULL, NULL, (
        SELECT json_group_array(filename) FROM (
            SELECT file.filename FROM json_each(message.file_ids) AS item
            JOIN chat_file AS file ON file.id = item.value ORDER BY item.key
        )
    )) AS file_names
FROM page
JOIN chat_conversation AS message ON message.rowid = page.place
LEFT JOIN chat_conversation AS parent ON parent.id = message.parent_id
LEFT JOIN generation AS reply ON reply.rowid = (SELECT max(rowid) FROM generation WHERE message_id = message.id)
WHERE page.before <= ?4
ORDER BY message.position
