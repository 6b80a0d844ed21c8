-- The files of the chat ?1: the newest ?3, oldest first; or, if ?2 is not NULL, the first ?3 that changed after that
-- rev, in the order of their changes. With the length of the text, or of what was uploaded,
-- as far as 32 bits can say it.
WITH chosen AS (
    SELECT * FROM (
        SELECT rowid AS place, rowid AS turn FROM chat_file WHERE ?2 IS NULL AND chat_id = ?1
        ORDER BY rowid DESC LIMIT ?3
    )
    UNION ALL
    SELECT * FROM (
        SELECT rowid, rev FROM chat_file WHERE chat_id = ?1 AND rev > ?2 ORDER BY rev LIMIT ?3
    )
)
SELECT file.id AS id, file.filename AS name, file.filename AS kind, version.rowid IS NOT NULL AS versioned,
    min(coalesce(octet_length(version.content), content.size, 0), 4294967295) AS size, file.rev AS rev
FROM chosen
JOIN chat_file AS file ON file.rowid = chosen.place
LEFT JOIN chat_file_version AS version ON version.rowid =
    (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = file.id)
LEFT JOIN content ON content.id = file.content_id
ORDER BY chosen.turn
