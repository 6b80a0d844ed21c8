-- A chat ?1 called ?2, made at ?3, in the workspace ?4 of the user ?5. No row back: no such workspace of this user.
INSERT INTO chat (id, name, last_updated, user_id, workspace_id)
SELECT ?1, ?2, ?3, owner_id, id
FROM workspace
WHERE id = ?4 AND owner_id = ?5
RETURNING id
