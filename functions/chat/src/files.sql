-- The first ?4 files after place ?3 of the chat ?1 of the caller ?2 (NULL: any caller who knows the id), with their newest
-- versions. No row: no such chat of theirs; one without a place: nothing there.
SELECT file.rowid AS rowid, file.id AS "file.id", file.filename AS "file.filename", file.path AS "file.path",
    coalesce(octet_length(version.content), content.size, 0) AS "file.size",
    CASE WHEN version.id IS NULL THEN content.media_type END AS "file.media_type",
    version.id IS NOT NULL AS "file.is_versioned",
    CASE WHEN version.id IS NOT NULL THEN 'ready' ELSE coalesce(known.state, 'pending') END AS "file.text_state",
    CASE WHEN version.id IS NULL THEN known.reason END AS "file.text_error",
    CASE WHEN version.id IS NULL AND coalesce(known.state, 'pending') = 'pending' THEN content.id END AS "file.unread", file.file_id AS file_id, version.id AS version_id,
    version.timestamp AS timestamp, file.num_versions AS num_versions
FROM chat
LEFT JOIN chat_file AS file ON file.chat_id = chat.id AND file.rowid > ?3
LEFT JOIN content ON content.id = file.content_id
LEFT JOIN file_text AS known ON known.content_id = content.id
LEFT JOIN chat_file_version AS version ON version.rowid =
    (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = file.id)
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
ORDER BY file.rowid LIMIT ?4
