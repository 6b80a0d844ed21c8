-- Adds what is known of the ends of replies, whose messages are those of copy_messages.sql: the list ?2 also has an id for
-- each.
INSERT INTO generation (id, chat_id, message_id, model, status, seq, heartbeat, finish_reason, usage, error, owner_id)
SELECT item.value ->> 4, ?1, item.value ->> 1, reply.model, reply.status, reply.seq, reply.heartbeat,
    reply.finish_reason, reply.usage, reply.error, reply.owner_id
FROM json_each(?2) AS item JOIN generation AS reply
    ON reply.rowid = (SELECT max(rowid) FROM generation WHERE message_id = item.value ->> 0)
JOIN chat_conversation AS copy ON copy.id = item.value ->> 1
WHERE reply.status <> 'running'
