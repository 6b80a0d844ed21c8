-- Changes the settings of the user ?1: those that are bits of ?2 (1, 2, 4, …), to ?3 to ?9; a model must be theirs. No row back:
-- no such user or model.
UPDATE "user" SET
    instructions = iif(?2 & 1, ?3, instructions),
    model_id = iif(?2 & 2, ?4, model_id),
    temperature = iif(?2 & 4, ?5, temperature),
    top_p = iif(?2 & 8, ?6, top_p),
    max_tokens = iif(?2 & 16, ?7, max_tokens),
    reasoning_effort = iif(?2 & 32, ?8, reasoning_effort),
    extra = iif(?2 & 64, ?9, extra)
WHERE id = ?1 AND (NOT ?2 & 2 OR ?4 IS NULL OR EXISTS (SELECT 1 FROM model WHERE id = ?4 AND user_id = "user".id))
RETURNING instructions, model_id, temperature, top_p, max_tokens, reasoning_effort, extra
