-- The first ?3 workspaces after place ?2 of the user ?1. No row: no such user; one without a place: nothing there.
SELECT workspace.rowid AS rowid, workspace.id AS id, workspace.name AS name
FROM "user"
LEFT JOIN workspace ON workspace.owner_id = "user".id AND workspace.rowid > ?2
WHERE "user".id = ?1
ORDER BY workspace.rowid LIMIT ?3
