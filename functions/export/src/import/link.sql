-- Notes for the user ?1 the link of kind ?2 from the archive's ?3 to ?4.
INSERT INTO import_link (user_id, kind, source_id, id) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING
