-- Adds the words of the list ?1, as an id, a start and words, to the index, in the part ?2: of what was added to what the
-- index is about after the row ?3.
INSERT INTO search_index (rowid, words)
SELECT doc.id, replace(item.value ->> 2, '_', ?2 || '_')
FROM json_each(?1) AS item CROSS JOIN search_doc AS doc
    ON doc.source_id = item.value ->> 0 AND doc.start = item.value ->> 1
WHERE doc.id > ?3
