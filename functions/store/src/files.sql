-- Attaches the files of the JSON array ?2 to the chat ?1 under their own ids, the first under the rev ?3 and each other
-- under one more.
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id, rev)
SELECT file.id, file.filename, file.path, ?1, file.id, file.content_id, ?3 + new.key
FROM json_each(?2) AS new JOIN file ON file.id = new.value
WHERE true ORDER BY new.key
