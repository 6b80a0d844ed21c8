-- A chat ?1 called ?2, made at ?3, in the workspace ?4 of the user ?5, who may have ?6 (NULL: as many as they like); ?7: whether
-- it is to be named by its model. No row back: no such workspace of this user, or no room for another chat.
INSERT INTO chat (id, name, last_updated, active_at, user_id, workspace_id, auto_title)
SELECT ?1, ?2, ?3, CAST(1000 * unixepoch(?3, 'subsec') AS INTEGER), owner_id, id, ?7
FROM workspace
WHERE id = ?4 AND owner_id = ?5 AND (?6 IS NULL OR (SELECT num_chats FROM "user" WHERE id = ?5) < ?6)
RETURNING id
