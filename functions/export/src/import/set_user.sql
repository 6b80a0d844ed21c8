-- Sets for the user ?1 what they have not set themselves.
UPDATE "user" SET
    model_id = coalesce(model_id, ?2), instructions = coalesce(instructions, ?3),
    temperature = coalesce(temperature, ?4), top_p = coalesce(top_p, ?5), max_tokens = coalesce(max_tokens, ?6),
    reasoning_effort = coalesce(reasoning_effort, ?7), extra = coalesce(extra, ?8)
WHERE id = ?1
