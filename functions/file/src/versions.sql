-- The first ?4 versions after place ?3 of the chat's file that ?1 names for the caller ?2. No row: no such file of
-- theirs; one without a place: nothing there.
SELECT version.rowid AS rowid, version.id AS id, version.timestamp AS timestamp,
    octet_length(version.content) AS size
FROM named
LEFT JOIN chat_file_version AS version ON version.chat_file_id = named.id AND version.rowid > ?3
ORDER BY version.rowid LIMIT ?4
