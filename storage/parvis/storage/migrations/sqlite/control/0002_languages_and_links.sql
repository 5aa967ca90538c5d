-- Which language people read, and the links that were sent to them, good once.
ALTER TABLE parvis_user ADD COLUMN language TEXT NOT NULL DEFAULT '';

CREATE TABLE parvis_link (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    email TEXT NOT NULL,
    folded TEXT NOT NULL, -- the address as it is compared
    digest BLOB NOT NULL UNIQUE,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    user TEXT NOT NULL,
    inviter TEXT NOT NULL,
    admin INTEGER NOT NULL,
    path TEXT NOT NULL,
    language TEXT NOT NULL,
    UNIQUE (kind, tenant, folded)
) STRICT;

CREATE INDEX parvis_link_expires ON parvis_link (expires);
CREATE INDEX parvis_link_user ON parvis_link (user);
