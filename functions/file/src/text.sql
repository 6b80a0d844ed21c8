-- The first ?3 characters of the text that models read of the file that ?1 names for the caller ?2 (NULL: any).
SELECT substr(coalesce(version.content, known.text), 1, ?3) AS text
FROM (SELECT ?1 AS id) AS asked
LEFT JOIN named
LEFT JOIN chat_file_version AS version ON version.rowid =
    (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = named.id)
LEFT JOIN file ON file.id = asked.id
    AND (?2 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?2))
LEFT JOIN file_text AS known ON known.content_id = coalesce(file.content_id, named.content_id)
WHERE named.id IS NOT NULL OR file.id IS NOT NULL
