-- Earlier lives of parts that were rebuilt: whose client ids they were, for ever.
CREATE TABLE core_life (
    tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),
    room TEXT COLLATE "C" NOT NULL,
    part TEXT COLLATE "C" NOT NULL,
    incarnation BIGINT NOT NULL,
    ended DOUBLE PRECISION NOT NULL,
    clocks BYTEA NOT NULL, -- its last state vector, compressed
    deletes BYTEA NOT NULL, -- all that was deleted in it, compressed
    state BYTEA NOT NULL, -- its last state, compressed
    PRIMARY KEY (tenant, room, part, incarnation)
);

-- What people wrote in an earlier life, and could not hand in before it ended.
CREATE TABLE core_rescue (
    tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),
    room TEXT COLLATE "C" NOT NULL,
    part TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    incarnation BIGINT NOT NULL, -- the life that the content builds on; 0: it is whole
    origin TEXT NOT NULL,
    sender TEXT NOT NULL,
    first DOUBLE PRECISION NOT NULL,
    last DOUBLE PRECISION NOT NULL,
    size BIGINT NOT NULL, -- of the content, in bytes
    content BYTEA NOT NULL, -- an update, compressed
    PRIMARY KEY (tenant, room, part, id)
);
