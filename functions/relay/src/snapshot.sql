-- The chat ?1 of the caller ?2 (NULL: whoever knows the id), its running reply, and of its messages those after rev ?3;
-- or, if that is NULL, the branch that ends with the newest. All at one moment. The first row is the chat, then the newest message.
WITH RECURSIVE
asked AS (SELECT * FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)),
branch (id, parent_id, depth) AS (
    SELECT id, parent_id, 0 FROM (
        SELECT message.id, message.parent_id FROM asked
        JOIN chat_conversation AS message ON message.chat_id = asked.id
        WHERE ?3 IS NULL
        ORDER BY message.position DESC LIMIT 1
    )
    UNION ALL
    SELECT parent.id, parent.parent_id, branch.depth + 1
    FROM branch JOIN chat_conversation AS parent ON parent.id = branch.parent_id
    WHERE branch.depth < ?4
),
newer (id, parent_id, depth) AS (
    SELECT message.id, message.parent_id, -message.position FROM asked
    JOIN chat_conversation AS message ON message.chat_id = asked.id AND message.rev > ?3
    ORDER BY message.rev DESC LIMIT ?4 + 1
)
SELECT NULL AS depth, asked.name, asked.workspace_id, asked.user_id,
    (SELECT json_group_array(name) FROM (SELECT name FROM model WHERE user_id = asked.user_id ORDER BY rowid)),
    reply.id, reply.message_id, reply.model, text.content, reply.seq, asked.rev, reply.heartbeat
FROM asked
LEFT JOIN generation AS reply ON reply.chat_id = asked.id AND reply.status = 'running'
LEFT JOIN chat_conversation AS text ON text.id = reply.message_id
UNION ALL
SELECT chosen.depth, message.id, message.parent_id, message.role, message.type, message.content, message.status,
    message.model, message.created_at, NULL, NULL, NULL
FROM (SELECT * FROM branch UNION ALL SELECT * FROM newer) AS chosen
JOIN chat_conversation AS message ON message.id = chosen.id
ORDER BY depth
