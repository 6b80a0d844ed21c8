-- The oldest ?2 versions of the chat's file ?1, if it has more.
DELETE FROM chat_file_version WHERE rowid IN (
    SELECT rowid FROM chat_file_version
    WHERE chat_file_id = ?1 AND (SELECT num_versions FROM chat_file WHERE id = ?1) > ?2
    ORDER BY rowid LIMIT ?2
)
RETURNING 1
