-- What is set for all chats of the user ?1.
SELECT instructions, model_id, temperature, top_p, max_tokens, reasoning_effort, extra FROM "user" WHERE id = ?1
