-- The newest migration that the database has had, and whether a check has written to it within the second before ?1.
SELECT (SELECT coalesce(max(version), 0) FROM schema_migration) AS version,
    EXISTS (
        SELECT 1 FROM rate_limit WHERE key = 'readyz' AND free_at > ?1 AND free_at <= ?1 + 1000
    ) AS is_proven
