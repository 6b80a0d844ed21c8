-- The first ?3 files behind the place ?2 of the workspace ?1, as they were uploaded.
SELECT file.rowid AS place, file.id AS id, filename, content_id, media_type, size
FROM file JOIN content ON content.id = file.content_id
WHERE workspace_id = ?1 AND file.rowid > ?2 ORDER BY file.rowid LIMIT ?3
