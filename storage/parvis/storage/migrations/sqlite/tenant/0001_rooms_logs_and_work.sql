-- Rooms, the logs of their parts, what is derived from them, and the work that follows.
CREATE TABLE parvis_room (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    creator TEXT NOT NULL,
    created REAL NOT NULL,
    deleted REAL, -- a tombstone keeps this row, and with it the name, for ever
    fence INTEGER NOT NULL
) STRICT;

CREATE TABLE parvis_part (
    id INTEGER PRIMARY KEY,
    room INTEGER NOT NULL REFERENCES parvis_room (id),
    name TEXT NOT NULL,
    incarnation INTEGER NOT NULL DEFAULT 1,
    end_offset INTEGER NOT NULL DEFAULT 0,
    since INTEGER NOT NULL DEFAULT 0, -- offset of the last row of earlier incarnations
    size INTEGER NOT NULL DEFAULT 0, -- bytes of the log's updates
    UNIQUE (room, name)
) STRICT;

-- Clustered by part, so that loading a room reads neighbouring pages.
CREATE TABLE parvis_log (
    part INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    body BLOB NOT NULL,
    sender TEXT NOT NULL,
    time REAL NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (part, "offset")
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX parvis_log_key ON parvis_log (part, key);

CREATE TABLE parvis_snapshot (
    part INTEGER PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    state BLOB NOT NULL,
    side BLOB NOT NULL -- what the server keeps beside the state
) STRICT;

CREATE TABLE parvis_quarantine (
    id INTEGER PRIMARY KEY,
    room TEXT NOT NULL,
    part TEXT NOT NULL,
    "offset" INTEGER NOT NULL,
    body BLOB NOT NULL,
    digest BLOB NOT NULL,
    sender TEXT NOT NULL,
    time REAL NOT NULL,
    reason TEXT NOT NULL,
    UNIQUE (room, part, "offset", digest)
) STRICT;

CREATE TABLE parvis_plugin (
    name TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parvis_cursor (
    consumer TEXT NOT NULL,
    part INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    PRIMARY KEY (consumer, part)
) STRICT, WITHOUT ROWID;

CREATE INDEX parvis_cursor_part ON parvis_cursor (part);

-- Ids are never used twice: a late `finish` must not end somebody else's job.
CREATE TABLE parvis_job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    key TEXT NOT NULL,
    payload BLOB NOT NULL,
    due REAL NOT NULL,
    held REAL NOT NULL DEFAULT 0, -- claimed until then
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    UNIQUE (queue, key)
) STRICT;

CREATE INDEX parvis_job_due ON parvis_job (queue, due, id);
