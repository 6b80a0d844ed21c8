-- Names the file ?1 of a workspace, by its own id or that of an attachment, ?2 for the caller ?3.
UPDATE file SET filename = ?2, path = 'uploads/files/' || id || '_' || ?2
WHERE id = coalesce((SELECT file_id FROM chat_file WHERE id = ?1), ?1)
AND (?3 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?3))
RETURNING id, path, NULL AS chat
