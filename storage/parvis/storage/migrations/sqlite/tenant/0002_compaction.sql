-- A log may begin with one row that is worth all before it, and large states are packed.
-- compat: 2
ALTER TABLE parvis_part ADD COLUMN first INTEGER NOT NULL DEFAULT 1; -- offset of the first row that counts
ALTER TABLE parvis_log ADD COLUMN packing INTEGER NOT NULL DEFAULT 0; -- 0 plain, 1 zlib
ALTER TABLE parvis_snapshot ADD COLUMN packing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parvis_snapshot ADD COLUMN digest BLOB NOT NULL DEFAULT x''; -- of the unpacked state
