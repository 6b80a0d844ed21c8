-- Counts a try beyond the limit at ?2, under ?1.
INSERT INTO rate_limit (key, free_at, step, period, refused) VALUES (?1, ?2 + ?3, ?3, ?3 * ?4, 0)
ON CONFLICT (key) DO UPDATE SET free_at = min(max(free_at, ?2) + ?3, ?2 + ?3 * ?4)
