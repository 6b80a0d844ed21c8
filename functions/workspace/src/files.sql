-- The first ?4 files after place ?3 of the workspace ?1 of the caller ?2 (NULL: whoever knows the id). No row: no such
-- workspace of theirs; one without a place: nothing there.
SELECT file.rowid, file.id, file.filename, file.path, content.size, content.media_type
FROM workspace
LEFT JOIN file ON file.workspace_id = workspace.id AND file.rowid > ?3
LEFT JOIN content ON content.id = file.content_id
WHERE workspace.id = ?1 AND (?2 IS NULL OR workspace.owner_id = ?2)
ORDER BY file.rowid LIMIT ?4
