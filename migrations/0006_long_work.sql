-- Bounds of work that goes on for long: how many replies, streams and downloads one user has at a time, and all together.

-- Whose reply it is. Rows from before have none and count for nobody.
ALTER TABLE generation ADD COLUMN owner_id TEXT;

CREATE INDEX generation_running_owner ON generation (owner_id) WHERE status = 'running';

-- A stream of events or a download, for as long as it goes on. What a host left behind that was killed expires.
CREATE TABLE long_work (
    id         TEXT NOT NULL PRIMARY KEY,
    -- stream, download
    kind       TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    -- Milliseconds since 1970.
    expires_at INTEGER NOT NULL
);

CREATE INDEX long_work_user_id ON long_work (user_id, kind, expires_at);
CREATE INDEX long_work_kind ON long_work (kind, expires_at);

CREATE TRIGGER long_work_sweeps AFTER INSERT ON long_work
BEGIN
    DELETE FROM long_work WHERE kind = NEW.kind AND expires_at < NEW.expires_at - 600000;
END;
