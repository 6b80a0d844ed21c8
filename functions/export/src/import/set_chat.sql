-- Sets for the chat ?1 its settings.
UPDATE chat SET
    model_id = ?2, instructions = ?3, temperature = ?4, top_p = ?5, max_tokens = ?6, reasoning_effort = ?7, extra = ?8
WHERE id = ?1
