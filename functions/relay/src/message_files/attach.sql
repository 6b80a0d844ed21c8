-- Attaches files of its workspace to the chat ?1, the first under the rev ?3 and each other under one more: ?2 is a list of
-- [file's id, fresh id]. A file that no chat has is attached under its own id,
-- unless another attachment has that, as an imported one can.
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id, rev)
SELECT CASE
        WHEN EXISTS (SELECT 1 FROM chat_file WHERE file_id = file.id) OR EXISTS (SELECT 1 FROM chat_file WHERE id = file.id)
        THEN item.value ->> 1 ELSE file.id
    END,
    file.filename, file.path, ?1, file.id, file.content_id, ?3 + item.key
FROM json_each(?2) AS item JOIN file ON file.id = item.value ->> 0
WHERE true ORDER BY item.key
RETURNING id, file_id, filename,
    coalesce((SELECT state FROM file_text WHERE file_text.content_id = chat_file.content_id), 'pending') AS text_state,
    (SELECT reason FROM file_text WHERE file_text.content_id = chat_file.content_id) AS text_error
