-- The e-mail and the settings of the user ?1.
SELECT email, instructions AS "settings.instructions", model_id AS "settings.model_id", temperature AS "settings.temperature",
    top_p AS "settings.top_p", max_tokens AS "settings.max_tokens", reasoning_effort AS "settings.reasoning_effort", extra AS "settings.extra"
FROM "user" WHERE id = ?1
