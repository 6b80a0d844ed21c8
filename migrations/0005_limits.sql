-- Of limits and codes: rows that mean nothing any more go at once, and codes stay for as long as they are good.

-- A limit of which nothing is used up is as good as none.
DROP TRIGGER rate_limit_sweeps;

CREATE TRIGGER rate_limit_sweeps AFTER INSERT ON rate_limit
BEGIN
    DELETE FROM rate_limit WHERE free_at < NEW.free_at - NEW.step;
END;

-- More than the usual limit lets anybody ask for while one is good, so that whoever asks for many pushes out none of the
-- person's. Guessing is limited all the same.
DROP TRIGGER login_code_sweeps;

CREATE TRIGGER login_code_sweeps AFTER INSERT ON login_code
BEGIN
    DELETE FROM login_code WHERE expires_at < NEW.expires_at - 600000;
    DELETE FROM login_code WHERE rowid IN (
        SELECT rowid FROM login_code WHERE email = NEW.email ORDER BY rowid DESC LIMIT -1 OFFSET 60
    );
END;
