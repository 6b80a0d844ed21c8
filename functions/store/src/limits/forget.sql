-- Neither e-mails nor ids have a space, and `!` comes after it.
DELETE FROM rate_limit WHERE rowid IN (
    SELECT counted.rowid
    FROM json_each(?1) AS what, json_each(?2) AS who, rate_limit AS counted
    WHERE counted.key = what.value || ' of ' || who.value
        OR counted.key > what.value || ' of ' || who.value || ' from '
            AND counted.key < what.value || ' of ' || who.value || ' from!'
)
