-- Makes the attachment ?2 of a chat of the user ?3 one of the file ?1.
UPDATE OR IGNORE chat_file SET file_id = ?1, content_id = (SELECT content_id FROM file WHERE id = ?1)
WHERE id = ?2 AND file_id IS NULL AND EXISTS (SELECT 1 FROM chat WHERE id = chat_file.chat_id AND user_id = ?3)
