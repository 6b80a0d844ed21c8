-- Attaches files of its workspace to the chat ?1. ?2 is a JSON array of [file id, fresh id]: the first attachment of a
-- file has the file's own id, which clients of the original rely on, a later one the fresh id.
INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id)
SELECT
    CASE WHEN EXISTS (SELECT 1 FROM chat_file WHERE id = f.id) THEN pair.value ->> 1 ELSE f.id END,
    f.filename, f.path, ?1, f.id, f.content_id
FROM json_each(?2) pair
JOIN file f ON f.id = pair.value ->> 0
