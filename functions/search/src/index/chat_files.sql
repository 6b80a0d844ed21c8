-- The first ?3 files of chats of the user ?1 after the place ?2: those that were made there, and those with versions.
SELECT file.rowid AS place, iif(file.file_id IS NULL, file.id, NULL) AS name_id, NULL AS conversation_id,
    NULL AS content_id, iif(file.num_versions > 0, file.id, NULL) AS version_id
FROM chat JOIN chat_file AS file ON file.chat_id = chat.id AND file.rowid > ?2
WHERE chat.user_id = ?1 ORDER BY file.rowid LIMIT ?3
