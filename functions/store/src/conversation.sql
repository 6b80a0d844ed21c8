-- Adds the message of the role ?2, the kind ?3, the content ?4 and the model ?5 to each of the chats of the list ?1, at
-- the end of the active branch: under the id, the rev and the time beside it.
WITH new (id, chat_id, rev, created_at) AS (
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)
)
INSERT INTO chat_conversation
    (id, chat_id, role, type, content, parent_id, position, created_at, status, model, rev,
     selected)
SELECT new.id, chat.id, ?2, ?3, ?4, chat.head_id,
    coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = chat.id), 0) + 1,
    new.created_at, 'complete', ?5, new.rev, new.rev
FROM new JOIN chat ON chat.id = new.chat_id
WHERE true
RETURNING id, parent_id
