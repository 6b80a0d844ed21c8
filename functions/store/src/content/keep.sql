-- Makes staged contents permanent: ?1 is a JSON array of [id, size]. A row for each that is still there.
UPDATE content SET staged_at = NULL, size = done.size
FROM (SELECT value ->> 0 AS id, value ->> 1 AS size FROM json_each(?1)) AS done
WHERE content.id = done.id AND content.staged_at IS NOT NULL
RETURNING 1
