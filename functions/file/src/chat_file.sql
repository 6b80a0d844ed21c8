-- The file of a chat that ?1 names for the caller ?2 (NULL: whoever knows the id): by its own id, or by that of the
-- workspace's file if no other chat has it.
SELECT file.id, file.filename, file.chat_id
FROM chat_file AS file
JOIN chat ON chat.id = file.chat_id
WHERE file.id = coalesce(
    (SELECT id FROM chat_file WHERE id = ?1),
    (SELECT max(id) FROM chat_file WHERE file_id = ?1 GROUP BY file_id HAVING count(*) = 1)
) AND (?2 IS NULL OR chat.user_id = ?2)
