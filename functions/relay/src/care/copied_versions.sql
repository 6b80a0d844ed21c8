-- The first ?3 versions of the file ?1 after the place ?2, and at most about ?4 bytes of them, or one.
SELECT place, id FROM (
    SELECT place, id, bytes, sum(bytes) OVER (ORDER BY place ROWS UNBOUNDED PRECEDING) AS total
    FROM (
        SELECT rowid AS place, id, octet_length(content) AS bytes FROM chat_file_version
        WHERE chat_file_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
    )
)
WHERE total - bytes < ?4
ORDER BY place
