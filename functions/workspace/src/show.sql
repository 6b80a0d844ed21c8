-- The workspace ?1 of the caller ?2 (NULL: whoever knows the id), with how many files and chats it has.
SELECT id, name,
    (SELECT count(*) FROM file WHERE workspace_id = workspace.id),
    (SELECT count(*) FROM chat WHERE workspace_id = workspace.id)
FROM workspace
WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)
