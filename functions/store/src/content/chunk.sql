-- The chunk ?3, unless the user ?5 has more than ?4 bytes with it (NULL: as many as like). No row: there is no room.
INSERT INTO content_chunk (content_id, seq, bytes)
SELECT ?1, ?2, ?3
WHERE ?4 IS NULL OR (SELECT stored_bytes FROM "user" WHERE id = ?5) + octet_length(?3) <= ?4
RETURNING seq
