-- The names and newest texts of the chats' files whose ids are in the list ?1, in its order: their newest versions, else
-- the first chunks of what they were uploaded as.
SELECT file.filename AS name, version.content AS version, coalesce(chunk.bytes, x'') AS bytes,
    coalesce(content.size, 0) AS size
FROM json_each(?1) AS asked
JOIN chat_file AS file ON file.id = asked.value
LEFT JOIN chat_file_version AS version ON version.rowid =
    (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = file.id)
LEFT JOIN content ON version.rowid IS NULL AND content.id = file.content_id
LEFT JOIN content_chunk AS chunk ON chunk.content_id = content.id AND chunk.seq = 0
ORDER BY asked.key
