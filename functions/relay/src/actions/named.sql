-- The file of the chat ?1 of the caller ?2 (NULL: any caller who knows the id) that ?3 names, by its own id first.
SELECT chat_file.rowid FROM chat JOIN chat_file ON chat_file.chat_id = chat.id
WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
AND (chat_file.id = ?3 OR chat_file.file_id = ?3)
ORDER BY chat_file.id = ?3 DESC LIMIT 1
