-- The workspace ?1 of the caller ?2 (NULL: any), with how many files and chats it has.
SELECT id, name, num_files, num_chats
FROM workspace
WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)
