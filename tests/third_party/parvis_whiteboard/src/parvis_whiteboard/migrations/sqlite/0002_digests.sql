CREATE TABLE whiteboard_digests (board TEXT PRIMARY KEY, lines INTEGER NOT NULL);
