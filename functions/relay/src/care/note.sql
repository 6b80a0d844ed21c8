-- Notes that the owner of the chat ?1 deleted its message ?2, with what followed it, by a request from ?3.
INSERT INTO audit (action, actor, user_id, object, address)
SELECT 'message_deleted', 'user', user_id, ?2, ?3 FROM chat WHERE id = ?1
