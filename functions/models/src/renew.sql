-- Replaces sealed keys, unless they were changed meanwhile. ?1 is a JSON array of [id, before, after].
UPDATE model SET ak = renewed.after
FROM (
    SELECT value ->> 0 AS id, value ->> 1 AS before, value ->> 2 AS after FROM json_each(?1)
) AS renewed
WHERE model.id = renewed.id AND model.ak = renewed.before
