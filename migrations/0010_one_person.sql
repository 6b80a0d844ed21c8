-- An e-mail is one person whatever its letter case.

-- The e-mail in lower case. Older rows may have the same one several times.
ALTER TABLE "user" ADD COLUMN email_key TEXT;

UPDATE "user" SET email_key = lower(email);

CREATE INDEX user_email_key ON "user" (email_key);

-- For users that an older version of the program makes, which does not know the column.
CREATE TRIGGER user_has_email_key AFTER INSERT ON "user" WHEN NEW.email_key IS NULL
BEGIN
    UPDATE "user" SET email_key = lower(email) WHERE id = NEW.id;
END;

-- Codes are found by the address in lower case now. They are good for ten minutes: a person asks for another.
DELETE FROM login_code;
