-- Deletes, for a request from ?4, the chat ?1 of the caller ?2 (NULL: any caller who knows the id), with its messages, its files and their versions, if
-- that is not more than ?3 (see removal.sql). The files of the workspace stay. No row back: no such chat of theirs, or
-- too large a one.
UPDATE chat SET deleted_from = ?4
WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
AND CASE
    WHEN 25 * (num_files + num_versions)
        + coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = ?1), 0) > ?3 THEN 0
    ELSE (SELECT coalesce(sum((octet_length(content) + octet_length(reasoning)) / 8192), 0) FROM chat_conversation WHERE chat_id = ?1) <= ?3
END
RETURNING id
