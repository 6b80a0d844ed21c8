-- The first ?3 workspaces behind the place ?2 of the user ?1.
SELECT rowid AS place, id AS "workspace.id", name AS "workspace.name"
FROM workspace WHERE owner_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
