-- What somebody has named, with the document as it was then.
CREATE TABLE core_history_version (
    room TEXT NOT NULL,
    part TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    author TEXT NOT NULL,
    time REAL NOT NULL,
    place INTEGER NOT NULL, -- offset in the log
    incarnation INTEGER NOT NULL,
    log BLOB NOT NULL, -- a checkpoint, compressed
    PRIMARY KEY (room, part, id)
) STRICT;

CREATE INDEX core_history_version_place ON core_history_version (room, part, place);

-- Whose Yjs client ids are, where the log alone does not say it; '' for nobody that is known.
CREATE TABLE core_history_client (
    room TEXT NOT NULL,
    part TEXT NOT NULL,
    client INTEGER NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (room, part, client)
) STRICT, WITHOUT ROWID;
