CREATE TABLE whiteboard_artists (
    board TEXT NOT NULL,
    person TEXT NOT NULL,
    owner INTEGER NOT NULL,
    PRIMARY KEY (board, person)
);
CREATE TABLE whiteboard_strokes (
    board TEXT PRIMARY KEY,
    upto INTEGER NOT NULL,
    strokes INTEGER NOT NULL
);
