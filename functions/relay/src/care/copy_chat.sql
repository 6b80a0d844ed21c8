-- A chat ?1 called ?2, made at ?3, in the workspace of the chat ?4, whose owner may have ?5 (NULL: as many as they like).
INSERT INTO chat (id, name, last_updated, active_at, user_id, workspace_id)
SELECT ?1, ?2, ?3, CAST(1000 * unixepoch(?3, 'subsec') AS INTEGER), chat.user_id, chat.workspace_id
FROM chat JOIN "user" AS owner ON owner.id = chat.user_id
WHERE chat.id = ?4 AND (?5 IS NULL OR owner.num_chats < ?5)
RETURNING id
