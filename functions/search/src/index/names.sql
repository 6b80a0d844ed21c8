-- The names of the list ?1 of ids, of the kind ?2.
SELECT value AS id, CASE ?2
    WHEN 'chat' THEN (SELECT name FROM chat WHERE id = value)
    WHEN 'file' THEN (SELECT filename FROM file WHERE id = value)
    ELSE (SELECT filename FROM chat_file WHERE id = value)
END AS name
FROM json_each(?1)
