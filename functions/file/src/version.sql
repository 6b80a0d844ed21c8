-- The version ?3 of the chat's file that ?1 names for the caller ?2, and its number. No row: no such file of theirs; one of
-- NULLs: no such version.
SELECT version.id AS id, version.timestamp AS timestamp, octet_length(version.content) AS size,
    version.content AS content, CASE WHEN version.id IS NOT NULL THEN (
        SELECT count(*) FROM chat_file_version WHERE chat_file_id = named.id AND rowid <= version.rowid
    ) END AS number
FROM named
LEFT JOIN chat_file_version AS version ON version.id = ?3 AND version.chat_file_id = named.id
