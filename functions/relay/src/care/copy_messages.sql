-- Adds copies of messages to the chat ?1: the list ?2 has the id of each, that of its copy, that of the copy it follows, and
-- its position; at 5 the ids of the copies of its files.
INSERT INTO chat_conversation
    (id, chat_id, role, type, content, parent_id, position, created_at, status, model, rev, selected, reasoning, rating, note, file_ids)
SELECT item.value ->> 1, ?1, message.role, message.type, message.content, item.value ->> 2, item.value ->> 3,
    message.created_at, message.status, message.model, 1, 1, message.reasoning, message.rating, message.note,
    item.value ->> 5
FROM json_each(?2) AS item JOIN chat_conversation AS message ON message.id = item.value ->> 0
WHERE message.status <> 'running'
ORDER BY item.key
