-- The file ?3 of the chat ?1 of the caller ?2 (NULL: any caller), which has the version ?4, or of several of that name the
-- newest.
SELECT (
    SELECT file.id FROM chat_file AS file
    LEFT JOIN chat_file_version AS version ON version.chat_file_id = file.id AND version.id = ?4
    WHERE file.chat_id = chat.id AND file.filename = ?3
    ORDER BY version.id IS NOT NULL DESC, file.rowid DESC LIMIT 1
) AS id
FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
