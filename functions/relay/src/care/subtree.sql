-- Of the message ?3 of the chat ?1 of the caller ?2 (NULL: any caller), and of all that follow it, the newest that go in a
-- part of ?4, and at least one: each before the one that it follows. A message counts as one, and one more for each 8 KiB.
WITH RECURSIVE below (id) AS (
    SELECT message.id FROM chat
    JOIN chat_conversation AS message ON message.id = ?3 AND message.chat_id = chat.id
    WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
    -- Each once: what follows itself would never end.
    UNION
    SELECT message.id FROM below CROSS JOIN chat_conversation AS message ON message.parent_id = below.id
),
newest AS (
    SELECT message.id AS id, message.position AS position, octet_length(content) + octet_length(reasoning) AS bytes
    FROM below CROSS JOIN chat_conversation AS message ON message.id = below.id
    ORDER BY message.position DESC LIMIT ?4
)
SELECT id FROM (
    SELECT id, position, row_number() OVER part AS number, sum(1 + bytes / 8192) OVER part AS amount FROM newest
    WINDOW part AS (ORDER BY position DESC ROWS UNBOUNDED PRECEDING)
)
WHERE number = 1 OR amount <= ?4
ORDER BY position DESC
