CREATE TABLE mailbox_letters (
    box TEXT NOT NULL,
    sender TEXT NOT NULL,
    topic TEXT NOT NULL,
    PRIMARY KEY (box, topic)
);
