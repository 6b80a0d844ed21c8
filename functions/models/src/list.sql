-- The models of the user ?1, in the order in which they were made. One row without a model if there are none, and no row
-- if there is no such user.
SELECT model.id AS "model.id", model.name AS "model.name", model.base_url AS "model.base_url",
    model.user_id AS "model.user_id", model.context_chars AS "model.context_chars",
    model.timeout_seconds AS "model.timeout_seconds", model.header_names AS "model.headers",
    model.query AS "model.query", model.key_header AS "model.key_header",
    model.takes_images AS "model.capabilities.images"
FROM "user" LEFT JOIN model ON model.user_id = "user".id
WHERE "user".id = ?1 ORDER BY model.rowid
