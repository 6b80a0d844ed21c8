-- Counts at ?1 what ?2 lists as [key, step, period]; returns of each whether it is refused, and for how long. What
-- is listed later does not count while something earlier is refused: who asks too often uses up no more of what is
-- shared. A time further ahead than the period is one that a clock said which has been set back since: it counts as
-- the end of a period that begins now.
INSERT INTO rate_limit (key, free_at, step, period, refused)
SELECT value ->> 0, ?1 + (value ->> 1), value ->> 1, value ->> 2, 0 FROM json_each(?2) AS asked
WHERE NOT EXISTS (
    SELECT 1 FROM json_each(?2) AS earlier JOIN rate_limit AS other ON other.key = earlier.value ->> 0
    WHERE earlier.key < asked.key
        AND other.free_at <= ?1 + (earlier.value ->> 2)
        AND max(other.free_at, ?1) + (earlier.value ->> 1) > ?1 + (earlier.value ->> 2)
)
ON CONFLICT (key) DO UPDATE SET
    step = excluded.step,
    period = excluded.period,
    refused = max(free_at, ?1) + excluded.step > ?1 + excluded.period,
    free_at = CASE WHEN max(free_at, ?1) + excluded.step > ?1 + excluded.period
        THEN min(free_at, ?1 + excluded.period)
        ELSE max(free_at, ?1) + excluded.step END
RETURNING key, refused AS is_refused, free_at + step - period - ?1 AS wait, free_at - step <= ?1 AS is_first
