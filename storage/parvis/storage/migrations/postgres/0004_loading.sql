-- What is being loaded from a backup or another store, and how far it is; empty otherwise. No node
-- opens the database before it is.
CREATE TABLE parvis.parvis_loading (
    scope TEXT COLLATE "C" NOT NULL, -- 't' and a tenant's name, 'a': the accounts, '': all
    name TEXT COLLATE "C" NOT NULL, -- of a table; '' in a scope that is finished; in '': the origin
    rows BIGINT NOT NULL DEFAULT 0,
    digest BYTEA NOT NULL DEFAULT '',
    PRIMARY KEY (scope, name)
);
