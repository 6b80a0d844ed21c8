-- A chat ?1 called ?2, changed at ?3, in the workspace ?4 of the user ?5, who may have ?6 (NULL: as many as they like); ?7:
-- whether it is pinned, ?8: archived.
INSERT INTO chat (id, name, last_updated, user_id, workspace_id, is_pinned, is_archived)
SELECT ?1, ?2, ?3, owner_id, id, ?7, ?8 FROM workspace
WHERE id = ?4 AND owner_id = ?5 AND (?6 IS NULL OR (SELECT num_chats FROM "user" WHERE id = ?5) < ?6)
RETURNING id
