-- Replaces what is sealed, unless it was changed meanwhile. ?1 is a JSON array of [id, key before, key after,
-- headers before, headers after].
UPDATE model SET ak = renewed.key_after, headers = renewed.headers_after
FROM (
    SELECT value ->> 0 AS id, value ->> 1 AS key_before, value ->> 2 AS key_after,
        value ->> 3 AS headers_before, value ->> 4 AS headers_after
    FROM json_each(?1)
) AS renewed
WHERE model.id = renewed.id AND model.ak = renewed.key_before AND model.headers IS renewed.headers_before
