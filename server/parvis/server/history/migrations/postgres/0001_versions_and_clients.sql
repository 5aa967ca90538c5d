-- What somebody has named, with the document as it was then.
CREATE TABLE core_history_version (
    tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),
    room TEXT COLLATE "C" NOT NULL,
    part TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    author TEXT NOT NULL,
    time DOUBLE PRECISION NOT NULL,
    place BIGINT NOT NULL, -- offset in the log
    incarnation BIGINT NOT NULL,
    log BYTEA NOT NULL, -- a checkpoint, compressed
    PRIMARY KEY (tenant, room, part, id)
);

CREATE INDEX core_history_version_place ON core_history_version (tenant, room, part, place);

-- Whose Yjs client ids are, where the log alone does not say it; '' for nobody that is known.
CREATE TABLE core_history_client (
    tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),
    room TEXT COLLATE "C" NOT NULL,
    part TEXT COLLATE "C" NOT NULL,
    client BIGINT NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (tenant, room, part, client)
);
