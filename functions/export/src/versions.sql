-- The first ?3 texts behind the place ?2 of the chat's file ?1, and not more than about ?4 bytes, but at least one.
WITH page AS (
    SELECT place, sum(bytes) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) - bytes AS before
    FROM (
        SELECT rowid AS place, octet_length(content) AS bytes
        FROM chat_file_version WHERE chat_file_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
    )
)
SELECT page.place AS place, id AS "version.id", timestamp AS "version.timestamp", content AS "version.content"
FROM page JOIN chat_file_version AS version ON version.rowid = page.place
WHERE page.before <= ?4
ORDER BY page.place
