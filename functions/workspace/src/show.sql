-- The workspace ?1 of the caller ?2 (NULL: any), with how many files and chats it has, and its settings.
SELECT id, name, num_files, num_chats,
    instructions AS "settings.instructions", model_id AS "settings.model_id", temperature AS "settings.temperature", top_p AS "settings.top_p",
    max_tokens AS "settings.max_tokens", reasoning_effort AS "settings.reasoning_effort", extra AS "settings.extra"
FROM workspace
WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)
