-- Adds the versions of the list ?2, each with an id for its copy, to the file ?1 of the user ?3.
INSERT INTO chat_file_version (id, chat_file_id, timestamp, content, owner_id)
SELECT item.value ->> 1, ?1, version.timestamp, version.content, ?3
FROM json_each(?2) AS item JOIN chat_file_version AS version ON version.id = item.value ->> 0
WHERE EXISTS (SELECT 1 FROM chat_file WHERE id = ?1)
ORDER BY item.key
