-- Writes that the database can be written, at ?1. The row is the rate limit of these writes: one in a second.
INSERT INTO rate_limit (key, free_at, step, period, refused) VALUES ('readyz', ?1 + 1000, 1000, 1000, 0)
ON CONFLICT (key) DO UPDATE SET free_at = excluded.free_at
