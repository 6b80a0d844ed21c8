-- Gives the chat ?1 the settings of the chat ?2.
UPDATE chat SET
    (model_id, temperature, top_p, max_tokens, reasoning_effort, extra, instructions, message_bytes) = (
        SELECT model_id, temperature, top_p, max_tokens, reasoning_effort, extra, instructions,
            chat.message_bytes + coalesce(octet_length(extra), 0) + coalesce(octet_length(instructions), 0)
        FROM chat AS original WHERE original.id = ?2
    )
WHERE id = ?1
