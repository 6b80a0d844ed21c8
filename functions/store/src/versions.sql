-- The file ?1 of a chat: its newest version, and where it has none its original, and what was read of it if that is all
-- of a plain text and no longer than ?2.
SELECT version.id AS "version.id", version.timestamp AS "version.timestamp", version.content AS "version.content",
    coalesce(content.size, 0) AS size, chunk.bytes AS first_chunk,
    CASE WHEN known.kind = 'plain' AND known.is_truncated = 0 AND octet_length(known.text) <= ?2 THEN known.text END
        AS read_text
FROM chat_file
LEFT JOIN chat_file_version AS version ON version.rowid =
    (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = chat_file.id)
LEFT JOIN content ON version.rowid IS NULL AND content.id = chat_file.content_id
LEFT JOIN content_chunk AS chunk ON chunk.content_id = content.id AND chunk.seq = 0
LEFT JOIN file_text AS known ON known.content_id = content.id AND known.state = 'ready'
WHERE chat_file.id = ?1
