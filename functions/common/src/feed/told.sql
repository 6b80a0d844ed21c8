-- What is to be published of the owners of things (with entries.sql): of each, as many of the newest entries as it is told of
-- changes, and 2 more, which are what else the transactions noted, and what other instances noted and may not have published
-- yet; but none from 2 seconds before the newest, by the clock that all entries have: it was published long ago. ?3 has
-- things that are there, each with its number of changes, and users, of whom the newest 200 are meant; ?4 has things that
-- are gone: whose they were is said by the newest 200 entries of all users.
WITH asked (id, changes) AS NOT MATERIALIZED (SELECT key, value FROM json_each(?3)),
changed (user_id, changes) AS (
    SELECT chat.user_id, changes FROM asked CROSS JOIN chat ON chat.id = asked.id
    UNION ALL
    SELECT workspace.owner_id, changes FROM asked CROSS JOIN workspace ON workspace.id = asked.id
    UNION ALL
    SELECT workspace.owner_id, changes FROM asked CROSS JOIN file ON file.id = asked.id
        CROSS JOIN workspace ON workspace.id = file.workspace_id
    UNION ALL
    SELECT model.user_id, changes FROM asked CROSS JOIN model ON model.id = asked.id
    UNION ALL
    SELECT "user".id, 200 FROM asked CROSS JOIN "user" ON "user".id = asked.id
    UNION ALL
    SELECT user_id, 1 FROM feed
    WHERE json_array_length(?4) > 0 AND id > (SELECT max(id) FROM feed) - 200
        AND subject_id IN (SELECT value FROM json_each(?4))
),
told (user_id, entries) AS MATERIALIZED (SELECT user_id, sum(changes) + 2 FROM changed GROUP BY +user_id),
newest (user_id, entries, rev, noted_at) AS MATERIALIZED (
    SELECT told.user_id, entries, rev, noted_at FROM told
    CROSS JOIN feed ON feed.user_id = told.user_id AND rev = (SELECT max(rev) FROM feed WHERE user_id = told.user_id)
),
chosen (id) AS (
    SELECT feed.id FROM newest
    CROSS JOIN feed ON feed.user_id = newest.user_id AND feed.rev > newest.rev - newest.entries
        AND feed.noted_at > newest.noted_at - 2000
)
