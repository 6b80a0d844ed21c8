-- The models of the user ?1, in the order in which they were made. One row without a model if there are none, and no row
-- if there is no such user.
SELECT model.id AS "model.id", model.name AS "model.name", model.base_url AS "model.base_url",
    model.user_id AS "model.user_id"
FROM "user" LEFT JOIN model ON model.user_id = "user".id
WHERE "user".id = ?1 ORDER BY model.rowid
