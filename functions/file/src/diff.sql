-- The versions ?3 and ?4 (NULL: the newest) of the chat's file that ?1 names for the caller ?2 (see chat_file.sql). No
-- row: no such file of theirs; an id that is NULL: no such version.
SELECT older.id, older.content, newer.id, newer.content
FROM chat_file AS file
JOIN chat ON chat.id = file.chat_id
LEFT JOIN chat_file_version AS older ON older.id = ?3 AND older.chat_file_id = file.id
LEFT JOIN chat_file_version AS newer ON newer.rowid = CASE
    WHEN ?4 IS NULL THEN (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = file.id)
    ELSE (SELECT rowid FROM chat_file_version WHERE id = ?4 AND chat_file_id = file.id)
END
WHERE file.id = coalesce(
    (SELECT id FROM chat_file WHERE id = ?1),
    (SELECT id FROM chat_file WHERE file_id = ?1
        AND chat_id = (SELECT min(chat_id) FROM chat_file WHERE file_id = ?1)
        AND chat_id = (SELECT max(chat_id) FROM chat_file WHERE file_id = ?1))
) AND (?2 IS NULL OR chat.user_id = ?2)
