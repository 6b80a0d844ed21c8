-- The content of the file that ?1 names, of a workspace or of a chat, for the caller ?2 (NULL: any). If it has versions
-- in the chat, that is the newest version, which is short enough to be its own first chunk. Else, chunk ?3 comes with
-- it, if it exists, so that a small file is one statement.
SELECT coalesce(named.name, file.filename) AS filename, coalesce(version.id, content.id) AS content_id,
    coalesce(octet_length(version.content), content.size) AS size, content.media_type AS media_type,
    coalesce(CAST(version.content AS BLOB), chunk.bytes) AS first_chunk
FROM (SELECT ?1 AS id) AS asked
LEFT JOIN named
LEFT JOIN chat_file_version AS version ON version.rowid =
    (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = named.id)
LEFT JOIN file ON file.id = asked.id
    AND (?2 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?2))
LEFT JOIN content ON version.id IS NULL AND content.id = coalesce(file.content_id, named.content_id)
LEFT JOIN content_chunk AS chunk ON chunk.content_id = content.id AND chunk.seq = ?3
WHERE content.id IS NOT NULL OR version.id IS NOT NULL
