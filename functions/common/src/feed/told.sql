-- What is to be published of the things and users in the list ?3 (with entries.sql): of a user all entries; of a thing its own,
-- and those that its owner has from 250 milliseconds before its newest one on, which are what else its transaction noted, and
-- what others noted meanwhile. Among the newest 200 of all users, and of the 5 seconds before the newest, by the clock that all
-- entries have: an older one was published long ago.
WITH asked (id) AS MATERIALIZED (SELECT value FROM json_each(?3)),
recent AS MATERIALIZED (
    SELECT id, user_id, subject_id, noted_at FROM feed
    WHERE id > (SELECT max(id) FROM feed) - 200
        AND noted_at > (SELECT noted_at FROM feed WHERE id = (SELECT max(id) FROM feed)) - 5000
),
told (user_id, from_then) AS (
    SELECT user_id, 0 FROM recent WHERE user_id IN (SELECT id FROM asked)
    UNION ALL
    SELECT user_id, max(noted_at) - 250 FROM recent WHERE subject_id IN (SELECT id FROM asked)
    GROUP BY user_id, subject_id
),
chosen (id) AS (
    SELECT id FROM recent JOIN (SELECT user_id, min(from_then) AS from_then FROM told GROUP BY user_id) USING (user_id)
    WHERE noted_at >= from_then OR subject_id IN (SELECT id FROM asked)
)
