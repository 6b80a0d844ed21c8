-- The names of files of the chat ?1, newest first, that may be those of a reply: they are among ?2, a JSON array, or if ?3
-- have letters beyond ASCII, which can be written in several ways.
SELECT filename FROM chat_file
WHERE chat_id = ?1 AND (filename IN (SELECT value FROM json_each(?2)) OR (?3 AND filename GLOB '*[^ -~]*'))
ORDER BY rowid DESC
