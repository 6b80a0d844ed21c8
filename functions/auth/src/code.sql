-- Stores for ?1, until ?4, the code with the hash ?2, or if the row ?5 of rate_limit is free later than ?6, that with ?3.
INSERT INTO login_code (email, code_hash, expires_at)
SELECT ?1, iif(coalesce((SELECT free_at FROM rate_limit WHERE key = ?5), 0) > ?6, ?3, ?2), ?4
WHERE true
ON CONFLICT (email, code_hash) DO UPDATE SET expires_at = excluded.expires_at
RETURNING code_hash
