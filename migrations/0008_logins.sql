-- What proves who somebody is gives itself away no more, and is good once.

-- Codes are kept as HMACs now; the plain hashes of those that were sent before could be guessed. They were good for ten
-- minutes at most: whoever has one asks for another.
DELETE FROM login_code;

-- What logins with the identity provider began with: SHA-256 of the nonce, in base64.
CREATE TABLE login_nonce (
    nonce_hash TEXT NOT NULL PRIMARY KEY,
    -- Milliseconds since 1970.
    expires_at INTEGER NOT NULL
);

CREATE INDEX login_nonce_expires_at ON login_nonce (expires_at);

CREATE TRIGGER login_nonce_sweeps AFTER INSERT ON login_nonce
BEGIN
    DELETE FROM login_nonce WHERE expires_at < NEW.expires_at - 600000;
END;

-- ID tokens that have logged somebody in, until they expire.
CREATE TABLE used_id_token (
    -- SHA-256, in base64, of what tells it from all others.
    token_hash TEXT NOT NULL PRIMARY KEY,
    -- With it the token of the session can be made once more. Gone ten seconds later, with the next login.
    salt       TEXT,
    used_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);

CREATE INDEX used_id_token_expires_at ON used_id_token (expires_at);
CREATE INDEX used_id_token_with_salt ON used_id_token (used_at) WHERE salt IS NOT NULL;

CREATE TRIGGER used_id_token_sweeps AFTER INSERT ON used_id_token
BEGIN
    DELETE FROM used_id_token WHERE expires_at < NEW.used_at;
    UPDATE used_id_token SET salt = NULL WHERE salt IS NOT NULL AND used_at < NEW.used_at - 10000;
END;
