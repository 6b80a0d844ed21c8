-- Which file of the workspace ?2 each id of the JSON array ?1 means, one row per id in their order; NULL where it means
-- none. An id is a file's or that of its attachment to some chat.
SELECT (
    SELECT file.id FROM file
    WHERE file.workspace_id = ?2 AND file.id = coalesce(
        (SELECT chat_file.file_id FROM chat_file WHERE chat_file.id = selected.value), selected.value
    )
) AS file_id
FROM json_each(?1) AS selected ORDER BY selected.key
