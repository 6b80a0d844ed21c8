-- The file ?1 of the caller ?2 (NULL: any) and where it is attached: the first ?3 places, and that which
-- ?1 names itself, if it is one. Of a workspace, by its own id or that of an attachment, one row per attachment and at
-- least one; or one that was made in a chat.
SELECT of_workspace.id AS of_workspace, attached.id AS "attached.id", attached.chat_id AS "attached.chat",
    iif(attached.id IS NULL, NULL, of_workspace.filename) AS "attached.name",
    coalesce(attached.num_versions, 0) AS num_versions, coalesce(attached.id = ?1, 0) AS is_named
FROM (
    SELECT id, filename FROM file
    WHERE id = coalesce((SELECT file_id FROM chat_file WHERE id = ?1), ?1)
    AND (?2 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?2))
) AS of_workspace
LEFT JOIN (
    SELECT * FROM (
        SELECT id, chat_id, num_versions, file_id FROM chat_file
        WHERE file_id = coalesce((SELECT file_id FROM chat_file WHERE id = ?1), ?1) AND id <> ?1 LIMIT ?3
    )
    UNION ALL
    SELECT id, chat_id, num_versions, file_id FROM chat_file WHERE id = ?1
) AS attached ON attached.file_id = of_workspace.id
UNION ALL
SELECT NULL, made.id, made.chat_id, made.filename, made.num_versions, 1
FROM chat_file AS made
WHERE made.id = ?1 AND made.file_id IS NULL
AND (?2 IS NULL OR EXISTS (SELECT 1 FROM chat WHERE id = made.chat_id AND user_id = ?2))
