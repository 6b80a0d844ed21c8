-- What is to be published of the things and users in the list ?3 (with entries.sql): of a user all entries; of a thing its own,
-- and those that its owner has from 250 milliseconds before its newest one on, which are what else its transaction noted, and
-- what others noted meanwhile. Among the newest 200 of all users, and of the 5 seconds before the newest, by the clock that all
-- entries have: an older one was published long ago. (These few are looked through twice, which is faster than copying them. The
-- + keeps SQLite from grouping by an index of all entries.)
WITH recent AS NOT MATERIALIZED (
    SELECT id, user_id, subject_id, noted_at FROM feed
    WHERE id > (SELECT max(id) FROM feed) - 200
        AND noted_at > (SELECT noted_at FROM feed WHERE id = (SELECT max(id) FROM feed)) - 5000
),
subject (user_id, from_then) AS (
    SELECT user_id, iif(user_id IN (SELECT value FROM json_each(?3)), 0, max(noted_at) - 250) FROM recent
    WHERE subject_id IN (SELECT value FROM json_each(?3)) OR user_id IN (SELECT value FROM json_each(?3))
    GROUP BY +user_id, +subject_id
),
told (user_id, from_then) AS MATERIALIZED (SELECT user_id, min(from_then) FROM subject GROUP BY user_id),
chosen (id) AS (
    SELECT id FROM recent CROSS JOIN told ON told.user_id = recent.user_id
    WHERE noted_at >= from_then OR subject_id IN (SELECT value FROM json_each(?3))
)
