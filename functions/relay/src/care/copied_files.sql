-- The first ?3 files of the chat ?1 after the place ?2.
SELECT rowid AS place, id FROM chat_file WHERE chat_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
