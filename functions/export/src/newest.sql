-- The newest text of the chat's file ?1.
SELECT content FROM chat_file_version WHERE chat_file_id = ?1 ORDER BY rowid DESC LIMIT 1
