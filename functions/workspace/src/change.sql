-- Changes the workspace ?1 of the caller ?2 (NULL: any): the name to ?3 (NULL: it stays), and of the settings those that are
-- bits of ?4 (1, 2, 4, …), to ?5 to ?11; a model must be its owner's. No row back: no such workspace or model.
UPDATE workspace SET
    name = coalesce(?3, name),
    instructions = iif(?4 & 1, ?5, instructions),
    model_id = iif(?4 & 2, ?6, model_id),
    temperature = iif(?4 & 4, ?7, temperature),
    top_p = iif(?4 & 8, ?8, top_p),
    max_tokens = iif(?4 & 16, ?9, max_tokens),
    reasoning_effort = iif(?4 & 32, ?10, reasoning_effort),
    extra = iif(?4 & 64, ?11, extra)
WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)
    AND (NOT ?4 & 2 OR ?6 IS NULL OR EXISTS (SELECT 1 FROM model WHERE id = ?6 AND user_id = workspace.owner_id))
RETURNING id, name, num_files, num_chats,
    instructions AS "settings.instructions", model_id AS "settings.model_id", temperature AS "settings.temperature", top_p AS "settings.top_p",
    max_tokens AS "settings.max_tokens", reasoning_effort AS "settings.reasoning_effort", extra AS "settings.extra"
