-- The file of the user ?1 that is the archive's ?2 itself, or was made of it as ?3.
SELECT file.id FROM file JOIN workspace ON workspace.id = file.workspace_id
WHERE workspace.owner_id = ?1 AND file.id IN (?2, ?3) ORDER BY file.id = ?2 DESC LIMIT 1
