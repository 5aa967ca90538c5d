-- Documents and spaces, who may do what in them, and what is kept beside their rooms.
-- A `place` is a document's key or a space's id; a `rank` is a role: 1 viewer, 2 commenter,
-- 3 editor, 4 owner. Times are seconds since 1970.

CREATE TABLE docs_space (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    parent TEXT,
    owner TEXT NOT NULL,
    created REAL NOT NULL
) STRICT;

CREATE INDEX docs_space_by_parent ON docs_space (parent);
CREATE INDEX docs_space_by_owner ON docs_space (owner);

CREATE TABLE docs_document (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    owner TEXT NOT NULL,
    space TEXT,
    editors_share INTEGER NOT NULL DEFAULT 1,
    created REAL NOT NULL,
    updated REAL NOT NULL,
    updated_by TEXT NOT NULL DEFAULT '',
    deleted REAL,
    excerpt TEXT NOT NULL DEFAULT '',
    committed INTEGER NOT NULL DEFAULT 0,  -- offset up to which the content is durable, as far as seen
    indexed INTEGER NOT NULL DEFAULT 0,    -- offset up to which the search knows it
    invalid TEXT NOT NULL DEFAULT ''       -- why the content does not fit the schema
) STRICT;

CREATE INDEX docs_document_by_owner ON docs_document (owner, updated);
CREATE INDEX docs_document_by_space ON docs_document (space, updated);

CREATE TABLE docs_member (
    place TEXT NOT NULL,
    person TEXT NOT NULL,
    rank INTEGER NOT NULL,
    by TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (place, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX docs_member_by_person ON docs_member (person, place, rank);

-- People without an account yet. They become members when they first come.
CREATE TABLE docs_invited (
    place TEXT NOT NULL,
    email TEXT NOT NULL,
    rank INTEGER NOT NULL,
    by TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (place, email)
) STRICT, WITHOUT ROWID;

CREATE INDEX docs_invited_by_email ON docs_invited (email);

CREATE TABLE docs_link (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,  -- SHA-256 of the secret
    rank INTEGER NOT NULL,
    expires REAL,
    revoked REAL,
    created REAL NOT NULL,
    by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX docs_link_by_document ON docs_link (document);

-- Members who came by a link: they keep what it grants for as long as it does.
CREATE TABLE docs_follower (
    person TEXT NOT NULL,
    link TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (person, link)
) STRICT, WITHOUT ROWID;

-- Names of people without an account, for listings and the history.
CREATE TABLE docs_guest (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    time REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE docs_opened (
    person TEXT NOT NULL,
    document TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (person, document)
) STRICT, WITHOUT ROWID;

CREATE INDEX docs_opened_by_time ON docs_opened (person, time);

CREATE TABLE docs_version (
    document TEXT NOT NULL,
    id TEXT NOT NULL,
    offset INTEGER NOT NULL,
    name TEXT NOT NULL,
    state BLOB NOT NULL,  -- a Yjs update, compressed with zlib
    by TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (document, id)
) STRICT;

CREATE TABLE docs_file (
    document TEXT NOT NULL,
    digest TEXT NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    by TEXT NOT NULL,
    time REAL NOT NULL,
    PRIMARY KEY (document, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX docs_file_by_digest ON docs_file (digest);

CREATE VIRTUAL TABLE docs_search USING fts5 (
    title, body, tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);
