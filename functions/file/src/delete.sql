-- The file ?1 of the caller ?2 (NULL: whoever knows the id) and where it is attached: of a workspace, by its own id or
-- that of an attachment, one row per attachment and at least one; or one that was made in a chat.
SELECT file.id, file.filename, attached.id, attached.chat_id
FROM file
LEFT JOIN chat_file AS attached ON attached.file_id = file.id
WHERE file.id = coalesce((SELECT file_id FROM chat_file WHERE id = ?1), ?1)
AND (?2 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?2))
UNION ALL
SELECT NULL, made.filename, made.id, made.chat_id
FROM chat_file AS made
WHERE made.id = ?1 AND made.file_id IS NULL
AND (?2 IS NULL OR EXISTS (SELECT 1 FROM chat WHERE id = made.chat_id AND user_id = ?2))
