-- Models after ?1 whose key or headers were sealed by another sealing key than the one that ?2 names.
SELECT id, user_id, base_url, ak, headers FROM model
WHERE id > ?1 AND (substr(ak, 1, length(?2)) <> ?2 OR substr(headers, 1, length(?2)) <> ?2)
ORDER BY id LIMIT ?3
