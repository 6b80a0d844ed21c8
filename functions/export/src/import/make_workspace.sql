-- A workspace ?1 called ?2 of the user ?3, who may have ?4 (NULL: as many as they like).
INSERT INTO workspace (id, name, owner_id)
SELECT ?1, ?2, id FROM "user" WHERE id = ?3 AND (?4 IS NULL OR num_workspaces < ?4)
RETURNING id
