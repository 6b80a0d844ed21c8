-- The file of a chat that ?1 names for the caller ?2 (NULL: any): by its own id, or by that of the
-- workspace's file if no other chat has it, so that the first that has it is the last. Wherever an id is asked for, it
-- means the same, so that what is saved under it is what is read: the statements beside this one call it `named`.
SELECT id, filename AS name, chat_id AS chat, path, content_id
FROM chat_file
WHERE id = coalesce(
    (SELECT id FROM chat_file WHERE id = ?1),
    (SELECT id FROM chat_file WHERE file_id = ?1
        AND chat_id = (SELECT min(chat_id) FROM chat_file WHERE file_id = ?1)
        AND chat_id = (SELECT max(chat_id) FROM chat_file WHERE file_id = ?1))
) AND (?2 IS NULL OR EXISTS (SELECT 1 FROM chat WHERE id = chat_file.chat_id AND user_id = ?2))
