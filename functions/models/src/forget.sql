-- ?3 chats forget that they have the model ?1 of the caller ?2 (NULL: any) set. Returns their ids.
UPDATE chat SET model_id = NULL
WHERE rowid IN (SELECT rowid FROM chat WHERE model_id = ?1 AND (?2 IS NULL OR user_id = ?2) LIMIT ?3)
RETURNING id
