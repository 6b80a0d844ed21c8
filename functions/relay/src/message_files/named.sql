-- What each id of the list ?2 means in the chat ?1, in their order: a file of the chat, or one of its workspace that it does
-- not have yet; two NULLs where it means none. An id is that of a file, or that of its attachment to some chat.
WITH asked AS (
    SELECT item.key AS place, chat.id AS chat_id, chat.workspace_id, item.value AS id,
        coalesce((SELECT file_id FROM chat_file WHERE id = item.value), item.value) AS file_id
    FROM chat JOIN json_each(?2) AS item WHERE chat.id = ?1
),
found AS (
    SELECT place, workspace_id, file_id, coalesce(
        (SELECT attached.id FROM chat_file AS attached WHERE attached.id = asked.id AND attached.chat_id = asked.chat_id),
        (SELECT attached.id FROM chat_file AS attached
         WHERE attached.file_id = asked.file_id AND attached.chat_id = asked.chat_id)
    ) AS attached_id
    FROM asked
)
SELECT attached_id, iif(attached_id IS NULL, (
    SELECT file.id FROM file WHERE file.id = found.file_id AND file.workspace_id = found.workspace_id
), NULL) AS file_id
FROM found ORDER BY place
