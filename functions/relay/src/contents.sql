-- What is in files: of each upload of the list ?1 its first chunk, and the beginning of what was read of it; of each
-- file of the list ?2 the newest ?3 versions, newest first. Texts of at most ?4 bytes, and of all together not much more
-- than ?5, for which each file's newest comes first. Files are numbered as in the lists. Only places and lengths are
-- carried along: a text is read when it is chosen.
WITH newest AS (
    SELECT asked.key AS number, version.rowid AS place, octet_length(version.content) AS bytes
    FROM json_each(?2) AS asked
    JOIN chat_file_version AS version ON version.rowid IN (
        SELECT rowid FROM chat_file_version WHERE chat_file_id = asked.value ORDER BY rowid DESC LIMIT ?3
    )
),
aged AS (SELECT *, row_number() OVER (PARTITION BY number ORDER BY place DESC) AS age FROM newest),
counted AS (SELECT *, sum(min(bytes, ?4)) OVER (ORDER BY age > 1, place DESC) AS total FROM aged)
SELECT NULL AS turn, asked.key AS number, NULL AS "version.id", NULL AS "version.timestamp", NULL AS "version.text",
    content.id AS content_id, chunk.bytes, known.state,
    substr(known.text, 1, ?4) AS extracted
FROM json_each(?1) AS asked
JOIN chat_file AS file ON file.id = asked.value
JOIN content ON content.id = file.content_id
LEFT JOIN content_chunk AS chunk ON chunk.content_id = content.id AND chunk.seq = 0
LEFT JOIN file_text AS known ON known.content_id = content.id
UNION ALL
SELECT place, number, id, timestamp, CASE WHEN bytes <= ?4 AND total <= ?5 THEN content END, NULL, NULL, NULL, NULL
FROM counted JOIN chat_file_version AS version ON version.rowid = place
ORDER BY turn DESC
