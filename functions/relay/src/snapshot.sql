-- The chat ?1 of the caller ?2 (NULL: whoever knows the id), its running reply, and of its messages the first ?4 after
-- rev ?3; or, if that is NULL, the last ?4 of the active branch. All at one moment, and not more
-- than about ?5 bytes of messages, but at least one. After a rev, the running reply is shown beside the messages and
-- takes of their room. The first row is the chat; then come the messages, oldest first.
WITH RECURSIVE
asked AS (SELECT * FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)),
branch (id, parent_id, turn) AS (
    SELECT message.id, message.parent_id, 0 FROM asked
    JOIN chat_conversation AS message ON message.id = asked.head_id
    WHERE ?3 IS NULL
    UNION ALL
    SELECT parent.id, parent.parent_id, branch.turn + 1
    FROM branch JOIN chat_conversation AS parent ON parent.id = branch.parent_id
    WHERE branch.turn < ?4
),
newer (id, parent_id, turn) AS (
    SELECT message.id, message.parent_id, message.rev FROM asked
    JOIN chat_conversation AS message ON message.chat_id = asked.id AND message.rev > ?3
    ORDER BY message.rev LIMIT ?4 + 1
),
chosen AS (
    SELECT message.*, row_number() OVER (ORDER BY turn) AS number,
        sum(CASE WHEN status = 'running' AND ?3 IS NOT NULL THEN 0 ELSE octet_length(content) END + 400)
            OVER (ORDER BY turn ROWS UNBOUNDED PRECEDING) AS total
    FROM (SELECT id AS chosen_id, turn FROM branch UNION ALL SELECT id, turn FROM newer)
    JOIN chat_conversation AS message ON message.id = chosen_id
),
room (bytes) AS (
    SELECT ?5 - coalesce((
        SELECT octet_length(text.content) FROM asked
        JOIN generation AS reply ON reply.chat_id = asked.id AND reply.status = 'running' AND ?3 IS NOT NULL
        JOIN chat_conversation AS text ON text.id = reply.message_id
    ), 0)
)
SELECT NULL AS place, asked.name, asked.workspace_id, asked.head_id,
    (SELECT json_group_array(name)
     FROM (SELECT name FROM model WHERE user_id = asked.user_id ORDER BY rowid LIMIT 200)),
    reply.id, reply.message_id, reply.model, text.content, reply.seq, asked.rev, reply.heartbeat,
    (SELECT count(*) FROM chosen)
FROM asked
LEFT JOIN generation AS reply ON reply.chat_id = asked.id AND reply.status = 'running'
LEFT JOIN chat_conversation AS text ON text.id = reply.message_id
UNION ALL
SELECT position, id, parent_id, role, type, content, status, model, created_at, rev, NULL, NULL, NULL
FROM chosen WHERE number = 1 OR (number <= ?4 AND total <= (SELECT bytes FROM room))
ORDER BY place
