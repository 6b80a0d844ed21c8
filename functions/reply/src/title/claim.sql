-- Takes the chat ?1 to be named, if it is to be and no other request has; returns the prompt ?2.
UPDATE chat SET auto_title = 2 WHERE id = ?1 AND auto_title = 1
RETURNING coalesce((SELECT content FROM chat_conversation WHERE id = ?2), '')
