-- The contents of the newest ?2 files of the chat ?1 whose texts have not been read, newest first, without those of files
-- with versions: of them the newest version is the text.
SELECT newest.content_id
FROM (
    SELECT rowid AS place, id, content_id FROM chat_file WHERE chat_id = ?1 ORDER BY rowid DESC LIMIT ?2
) AS newest
LEFT JOIN file_text AS known ON known.content_id = newest.content_id
WHERE newest.content_id IS NOT NULL AND coalesce(known.state, 'pending') = 'pending'
    AND NOT EXISTS (SELECT 1 FROM chat_file_version WHERE chat_file_id = newest.id)
ORDER BY newest.place DESC
