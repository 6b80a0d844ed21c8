-- The version ?3 of the chat's file that ?1 names for the caller ?2 (see chat_file.sql), and its number. No row: no such
-- file of theirs; one without an id: no such version.
SELECT version.id, version.timestamp, version.content, octet_length(version.content),
    (SELECT count(*) FROM chat_file_version WHERE chat_file_id = file.id AND rowid <= version.rowid)
FROM chat_file AS file
JOIN chat ON chat.id = file.chat_id
LEFT JOIN chat_file_version AS version ON version.id = ?3 AND version.chat_file_id = file.id
WHERE file.id = coalesce(
    (SELECT id FROM chat_file WHERE id = ?1),
    (SELECT id FROM chat_file WHERE file_id = ?1
        AND chat_id = (SELECT min(chat_id) FROM chat_file WHERE file_id = ?1)
        AND chat_id = (SELECT max(chat_id) FROM chat_file WHERE file_id = ?1))
) AND (?2 IS NULL OR chat.user_id = ?2)
