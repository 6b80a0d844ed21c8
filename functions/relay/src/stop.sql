-- Asks the running reply of the chat ?1 of the caller ?2 (NULL: any caller who knows the id) to stop, if it is ?3 (NULL: any).
UPDATE generation SET stop_requested = 1
WHERE chat_id = ?1 AND status = 'running' AND (?3 IS NULL OR id = ?3)
AND EXISTS (SELECT 1 FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2))
RETURNING id, heartbeat
