-- The core keeps named versions now; those that were named before keep their moments in the log.
DROP TABLE docs_version;
