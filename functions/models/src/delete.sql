-- Deletes the model ?1 of the caller ?2 (NULL: any), unless more than ?3 chats have it set: then those forget it first.
DELETE FROM model
WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
    AND (SELECT count(*) FROM (SELECT 1 FROM chat WHERE chat.model_id = ?1 LIMIT ?3 + 1)) <= ?3
RETURNING user_id
