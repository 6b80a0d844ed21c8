-- The first ?3 files of the user ?1 after the place ?2.
SELECT file.rowid AS place, file.id AS name_id, NULL AS conversation_id, file.content_id AS content_id, NULL AS version_id
FROM workspace JOIN file ON file.workspace_id = workspace.id AND file.rowid > ?2
WHERE workspace.owner_id = ?1 ORDER BY file.rowid LIMIT ?3
