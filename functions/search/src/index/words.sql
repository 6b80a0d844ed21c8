-- Adds the list ?1 of ids and words to the index, in the part ?2.
INSERT INTO search_index (rowid, words)
SELECT value ->> 0, replace(value ->> 1, '_', ?2 || '_') FROM json_each(?1)
