-- The first ?3 workspaces behind the place ?2 of the user ?1.
SELECT rowid AS place, id AS "workspace.id", name AS "workspace.name",
    instructions AS "workspace.settings.instructions", model_id AS "workspace.settings.model_id", temperature AS "workspace.settings.temperature",
    top_p AS "workspace.settings.top_p", max_tokens AS "workspace.settings.max_tokens", reasoning_effort AS "workspace.settings.reasoning_effort", extra AS "workspace.settings.extra"
FROM workspace WHERE owner_id = ?1 AND rowid > ?2 ORDER BY rowid LIMIT ?3
