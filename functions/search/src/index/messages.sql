-- The messages of the chats of the list ?1, whose items are a chat and positions: after the first, up to the second.
-- Together they have about ?2 bytes, or are one. Each row has how many there are in all.
WITH measured AS MATERIALIZED (
    SELECT item.key AS item, message.rowid AS place, message.position AS position, octet_length(message.content) AS bytes
    FROM json_each(?1) AS item JOIN chat_conversation AS message
        ON message.chat_id = item.value ->> 0
        AND message.position > item.value ->> 1 AND message.position <= item.value ->> 2
    WHERE message.type = 'text'
),
summed AS (
    SELECT item, place, bytes, sum(bytes) OVER (ORDER BY item, position ROWS UNBOUNDED PRECEDING) AS total,
        (SELECT count(*) FROM measured) AS num_messages
    FROM measured
)
SELECT item, num_messages, message.id AS id, message.position AS position, message.content AS content
FROM summed JOIN chat_conversation AS message ON message.rowid = summed.place
WHERE total - bytes < ?2
ORDER BY item, message.position
