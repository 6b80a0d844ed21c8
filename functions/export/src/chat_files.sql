-- The first ?3 files behind the place ?2 of the chat ?1.
SELECT rowid AS place, num_versions, id AS "file.id", file_id AS "file.file_id", filename AS "file.filename"
FROM chat_file WHERE chat_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
