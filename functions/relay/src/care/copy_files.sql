-- Adds the files of the list ?2, each with an id for its copy, to the chat ?1.
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id, rev)
SELECT item.value ->> 1, file.filename, file.path, ?1, file.file_id, file.content_id, 1
FROM json_each(?2) AS item JOIN chat_file AS file ON file.id = item.value ->> 0
WHERE true ORDER BY item.key
