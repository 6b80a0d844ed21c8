-- The part of the index of the user ?1 that takes ?3 more of the kind ?2, of which it has ?4 at most.
SELECT id FROM search_part
WHERE id = (SELECT max(id) FROM search_part WHERE user_id = ?1 AND kind = ?2) AND num_docs + ?3 <= ?4
