-- Models after ?1 whose key was sealed by another sealing key than the one that ?2 names.
SELECT id, user_id, base_url, ak FROM model
WHERE id > ?1 AND substr(ak, 1, length(?2)) <> ?2
ORDER BY id LIMIT ?3
