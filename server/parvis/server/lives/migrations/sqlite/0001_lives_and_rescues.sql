-- Earlier lives of parts that were rebuilt: whose client ids they were, for ever.
CREATE TABLE core_life (
    room TEXT NOT NULL,
    part TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    ended REAL NOT NULL,
    clocks BLOB NOT NULL, -- its last state vector, compressed
    deletes BLOB NOT NULL, -- all that was deleted in it, compressed
    state BLOB NOT NULL, -- its last state, compressed
    PRIMARY KEY (room, part, incarnation)
) STRICT;

-- What people wrote in an earlier life, and could not hand in before it ended.
CREATE TABLE core_rescue (
    room TEXT NOT NULL,
    part TEXT NOT NULL,
    id TEXT NOT NULL,
    incarnation INTEGER NOT NULL, -- the life that the content builds on; 0: it is whole
    origin TEXT NOT NULL,
    sender TEXT NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    size INTEGER NOT NULL, -- of the content, in bytes
    content BLOB NOT NULL, -- an update, compressed
    PRIMARY KEY (room, part, id)
) STRICT;
