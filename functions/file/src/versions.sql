-- The first ?4 versions after place ?3 of the chat's file that ?1 names for the caller ?2 (see chat_file.sql). No row: no
-- such file of theirs; one without a place: nothing there.
SELECT version.rowid AS rowid, version.id AS id, version.timestamp AS timestamp,
    octet_length(version.content) AS size
FROM chat_file AS file
JOIN chat ON chat.id = file.chat_id
LEFT JOIN chat_file_version AS version ON version.chat_file_id = file.id AND version.rowid > ?3
WHERE file.id = coalesce(
    (SELECT id FROM chat_file WHERE id = ?1),
    (SELECT id FROM chat_file WHERE file_id = ?1
        AND chat_id = (SELECT min(chat_id) FROM chat_file WHERE file_id = ?1)
        AND chat_id = (SELECT max(chat_id) FROM chat_file WHERE file_id = ?1))
) AND (?2 IS NULL OR chat.user_id = ?2)
ORDER BY version.rowid LIMIT ?4
