-- The newest ?2 files of the chat ?1 for a model, newest first. The text of a file is its newest version, else what was
-- read of it. Texts are read of the file that is called ?4 (NULL: none), then of the shortest, as long as those before
-- have less than ?3 characters, and of each at most ?3. Only places and lengths are carried along: a text is read when
-- it is chosen.
WITH measured AS (
    SELECT newest.place, newest.filename, newest.content_id, version.rowid AS version_place,
        coalesce(octet_length(version.content), known.characters, 0) AS length
    FROM (SELECT rowid AS place, id, filename, content_id FROM chat_file WHERE chat_id = ?1 ORDER BY rowid DESC LIMIT ?2)
        AS newest
    LEFT JOIN chat_file_version AS version ON version.rowid =
        (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = newest.id)
    LEFT JOIN file_text AS known ON version.rowid IS NULL AND known.content_id = newest.content_id
),
counted AS (
    SELECT *, sum(length) OVER (ORDER BY filename IS ?4 DESC, length, place DESC) - length AS before FROM measured
)
SELECT counted.filename AS name,
    CASE WHEN version.rowid IS NOT NULL THEN 'ready' ELSE coalesce(known.state, 'pending') END AS state,
    known.reason AS reason,
    CASE WHEN counted.before < ?3 THEN substr(coalesce(version.content, known.text), 1, ?3) END AS text,
    CASE WHEN version.rowid IS NOT NULL THEN length(version.content) ELSE counted.length END AS characters,
    coalesce(known.is_truncated, 0) AS is_truncated
FROM counted
LEFT JOIN chat_file_version AS version ON version.rowid = counted.version_place
LEFT JOIN file_text AS known ON version.rowid IS NULL AND known.content_id = counted.content_id
ORDER BY counted.place DESC
