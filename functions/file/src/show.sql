-- The file that ?1 names, of a workspace or of a chat, for the caller ?2 (NULL: any), as its content is
-- served: what has versions in the chat is as long as the newest.
SELECT asked.id AS id, coalesce(named.name, file.filename) AS filename,
    coalesce(named.path, file.path) AS path, coalesce(octet_length(version.content), content.size, 0) AS size,
    CASE WHEN version.id IS NULL THEN content.media_type END AS media_type, version.id IS NOT NULL AS is_versioned,
    CASE WHEN version.id IS NOT NULL THEN 'ready' ELSE coalesce(known.state, 'pending') END AS text_state,
    CASE WHEN version.id IS NULL THEN known.reason END AS text_error,
    CASE WHEN version.id IS NULL AND coalesce(known.state, 'pending') = 'pending' THEN content.id END AS unread
FROM (SELECT ?1 AS id) AS asked
LEFT JOIN named
LEFT JOIN chat_file_version AS version ON version.rowid =
    (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = named.id)
LEFT JOIN file ON file.id = asked.id
    AND (?2 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?2))
LEFT JOIN content ON content.id = coalesce(file.content_id, named.content_id)
LEFT JOIN file_text AS known ON known.content_id = content.id
WHERE named.id IS NOT NULL OR file.id IS NOT NULL
