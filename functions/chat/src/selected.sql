-- Which file of the workspace ?2 each of the selected ids means, one row per id in their order; file_id is NULL where it
-- means none. ?1 is a JSON array of [selected id, fresh id]. An id is a file's or that of its attachment to some chat.
SELECT selected.key AS position, selected.value ->> 1 AS fresh_id, (
    SELECT file.id FROM file
    WHERE file.workspace_id = ?2 AND file.id = coalesce(
        (SELECT chat_file.file_id FROM chat_file WHERE chat_file.id = selected.value ->> 0), selected.value ->> 0
    )
) AS file_id
FROM json_each(?1) AS selected
