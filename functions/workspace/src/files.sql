-- The first ?4 files after place ?3 of the workspace ?1 of the caller ?2 (NULL: any), as their
-- contents are served: what has versions in the chat that has it under the file's own id, or else in the only chat that
-- has it (see file/src/chat_file.sql), is as long as the newest. No row: no such workspace of theirs; one without a
-- place: nothing there.
SELECT file.rowid AS rowid, file.id AS id, file.filename AS filename, file.path AS path,
    coalesce(octet_length(version.content), content.size, 0) AS size,
    CASE WHEN version.id IS NULL THEN content.media_type END AS media_type, version.id IS NOT NULL AS is_versioned,
    CASE WHEN version.id IS NOT NULL THEN 'ready' ELSE coalesce(known.state, 'pending') END AS text_state,
    CASE WHEN version.id IS NULL THEN known.reason END AS text_error,
    CASE WHEN version.id IS NULL AND coalesce(known.state, 'pending') = 'pending' THEN content.id END AS unread
FROM workspace
LEFT JOIN file ON file.workspace_id = workspace.id AND file.rowid > ?3
LEFT JOIN content ON content.id = file.content_id
LEFT JOIN file_text AS known ON known.content_id = content.id
LEFT JOIN chat_file_version AS version ON version.rowid = (
    SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = coalesce(
        (SELECT id FROM chat_file WHERE id = file.id),
        (SELECT id FROM chat_file WHERE file_id = file.id
            AND chat_id = (SELECT min(chat_id) FROM chat_file WHERE file_id = file.id)
            AND chat_id = (SELECT max(chat_id) FROM chat_file WHERE file_id = file.id))
    )
)
WHERE workspace.id = ?1 AND (?2 IS NULL OR workspace.owner_id = ?2)
ORDER BY file.rowid LIMIT ?4
