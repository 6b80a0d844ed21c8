-- Notes for the user ?1 the link of kind ?2 from the archive's ?3 to ?4, unless they have ?5 links. No row: they have, or it is
-- noted already.
INSERT INTO import_link (user_id, kind, source_id, id)
SELECT id, ?2, ?3, ?4 FROM "user" WHERE id = ?1 AND num_import_links < ?5
ON CONFLICT DO NOTHING
RETURNING kind
