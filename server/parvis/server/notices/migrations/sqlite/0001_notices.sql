-- What people should know of. Only the newest of each person are kept.
CREATE TABLE core_notice (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL, -- JSON: language -> {subject, text}
    path TEXT NOT NULL,
    actor TEXT NOT NULL,
    time REAL NOT NULL,
    mail INTEGER NOT NULL,
    mailed REAL, -- when a letter about it went out
    read REAL, -- when the person read it in the app
    UNIQUE (user, key)
) STRICT;

CREATE INDEX core_notice_newest ON core_notice (user, number);
