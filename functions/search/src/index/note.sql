-- Notes what is to be indexed of the user ?1: the list ?2 of kinds and ids.
INSERT INTO search_pending (user_id, kind, source_id, done)
SELECT ?1, value ->> 0, value ->> 1, 0 FROM json_each(?2)
WHERE true
ON CONFLICT DO UPDATE SET done = 0
