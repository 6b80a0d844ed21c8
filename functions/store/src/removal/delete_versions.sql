-- At most ?2 versions of the files of the chat ?1.
DELETE FROM chat_file_version WHERE rowid IN (
    SELECT version.rowid FROM chat_file AS file JOIN chat_file_version AS version ON chat_file_id = file.id
    WHERE chat_id = ?1 LIMIT ?2
)
RETURNING 1
