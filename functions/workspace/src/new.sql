-- Inserts nothing if the owner ?3 doesn't exist, or has ?4 workspaces (NULL: as many as they like).
INSERT INTO workspace (id, name, owner_id)
SELECT ?1, ?2, id FROM "user" WHERE id = ?3 AND (?4 IS NULL OR num_workspaces < ?4)
RETURNING id
