-- People, their sign-ins, what was revoked, and the server's own secrets.
CREATE TABLE parvis_user (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    email TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE, -- the address as it is compared
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    password TEXT NOT NULL,
    admin INTEGER NOT NULL,
    created REAL NOT NULL,
    disabled INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE parvis_sign_in (
    digest BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL
) STRICT;

CREATE INDEX parvis_sign_in_expires ON parvis_sign_in (expires);

CREATE TABLE parvis_revoked (
    token TEXT PRIMARY KEY,
    until REAL NOT NULL
) STRICT;

CREATE INDEX parvis_revoked_until ON parvis_revoked (until);

CREATE TABLE parvis_secret (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- Written by every check of the store's health.
CREATE TABLE parvis_pulse (beats INTEGER NOT NULL) STRICT;

INSERT INTO parvis_pulse VALUES (0);
