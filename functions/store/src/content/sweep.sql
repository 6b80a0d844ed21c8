-- Removes two contents that were staged more than ?2 before ?1, or, by a clock that was set back since, as long after it.
DELETE FROM content WHERE id IN (
    SELECT id FROM content WHERE staged_at < ?1 - ?2
    UNION ALL SELECT id FROM content WHERE staged_at > ?1 + ?2 LIMIT 2
)
