-- What a new message in the chat ?1 of the caller ?2 (NULL: whoever knows the id) needs to know: the owner; the running
-- reply; what the client called ?3 when it sent it before; the model with the id ?4 and the name ?5 (NULL: any), the
-- newest of several; the newest message; and the message ?6 of this chat. No row: no such chat of theirs.
SELECT chat.user_id, running.id, running.heartbeat, sent.id, reply.id, reply.message_id,
    model.id, model.name, model.base_url, model.ak, last.id, coalesce(last.position, 0), parent.id
FROM chat
LEFT JOIN generation AS running ON running.chat_id = chat.id AND running.status = 'running'
LEFT JOIN chat_conversation AS sent ON sent.chat_id = chat.id AND sent.client_id = ?3
LEFT JOIN generation AS reply ON reply.rowid = (
    SELECT min(generation.rowid) FROM chat_conversation AS answer
    JOIN generation ON generation.message_id = answer.id
    WHERE answer.parent_id = sent.id
)
LEFT JOIN model ON model.rowid = (
    SELECT max(rowid) FROM model
    WHERE user_id = chat.user_id AND (?4 IS NULL OR id = ?4) AND (?5 IS NULL OR name = ?5)
)
LEFT JOIN chat_conversation AS last ON last.id = (
    SELECT id FROM chat_conversation WHERE chat_id = chat.id ORDER BY position DESC LIMIT 1
)
LEFT JOIN chat_conversation AS parent ON parent.id = ?6 AND parent.chat_id = chat.id
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
