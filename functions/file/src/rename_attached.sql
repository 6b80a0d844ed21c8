-- The next ?3 attachments of the file ?1, after the chat ?2: each gets the name that the file has now, so that of two who
-- rename it at once one name is left.
UPDATE chat_file SET filename = file.filename, path = file.path FROM file
WHERE file.id = ?1 AND chat_file.rowid IN (
    SELECT rowid FROM chat_file WHERE file_id = ?1 AND chat_id > ?2 ORDER BY chat_id LIMIT ?3
)
RETURNING chat_file.id AS id, chat_file.chat_id AS chat, chat_file.filename AS name
