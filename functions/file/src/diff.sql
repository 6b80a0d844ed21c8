-- The versions ?3 and ?4 (NULL: the newest) of the chat's file that ?1 names for the caller ?2. No row: no such file of
-- theirs; a version that is NULL: there is none.
SELECT older.id AS "older.id", older.content AS "older.content",
    newer.id AS "newer.id", newer.content AS "newer.content"
FROM named
LEFT JOIN chat_file_version AS older ON older.id = ?3 AND older.chat_file_id = named.id
LEFT JOIN chat_file_version AS newer ON newer.rowid = CASE
    WHEN ?4 IS NULL THEN (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = named.id)
    ELSE (SELECT rowid FROM chat_file_version WHERE id = ?4 AND chat_file_id = named.id)
END
