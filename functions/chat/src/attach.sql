-- Attaches files to the chat ?2: ?1 is a JSON array of [file's id, fresh id]. A file that no chat has is attached under
-- its own id, unless another attachment has that, as an imported one can. One that comes twice is attached once.
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id)
SELECT CASE
        WHEN EXISTS (SELECT 1 FROM chat_file WHERE file_id = file.id) OR EXISTS (SELECT 1 FROM chat_file WHERE id = file.id)
        THEN selected.value ->> 1 ELSE file.id
    END,
    file.filename, file.path, ?2, file.id, file.content_id
FROM json_each(?1) AS selected JOIN file ON file.id = selected.value ->> 0
WHERE true ORDER BY selected.key
ON CONFLICT DO NOTHING
