-- Writes that the database can be written, at ?1, unless another check has just done so. The row is the rate limit of these
-- writes: one in a second. (A time far ahead is from before the clock was set back; other checks may be a little ahead.)
INSERT INTO rate_limit (key, free_at, step, period, refused) VALUES ('readyz', ?1 + 1000, 1000, 1000, 0)
ON CONFLICT (key) DO UPDATE SET free_at = excluded.free_at
WHERE rate_limit.free_at <= ?1 OR rate_limit.free_at > ?1 + 2000
