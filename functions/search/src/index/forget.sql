-- Takes what is in the index of the list ?1 of ids out of it: the names (?2 is 1), or the texts.
DELETE FROM search_doc
WHERE source_id IN (SELECT value FROM json_each(?1)) AND (start = -1) = ?2
