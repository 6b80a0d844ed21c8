-- Deletes the messages of the list ?2 of the chat ?1. Returns how many bytes of texts each had.
DELETE FROM chat_conversation
WHERE chat_id = ?1 AND id IN (SELECT value FROM json_each(?2))
RETURNING octet_length(content) + octet_length(reasoning) AS bytes
