-- Names the file ?1 that was made in a chat ?2 for the caller ?3. It has no path that would follow its name.
UPDATE chat_file SET filename = ?2 WHERE id = ?1 AND file_id IS NULL
AND (?3 IS NULL OR EXISTS (SELECT 1 FROM chat WHERE id = chat_file.chat_id AND user_id = ?3))
RETURNING id, path, chat_id AS chat
