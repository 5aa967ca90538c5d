-- The calls of a node: one that begins a transaction, and one that appends to many rooms.

-- Says whose rows are meant until the transaction ends, where plugins' tables are, and that a
-- COMMIT waits for the disk whatever the role's own settings are.
CREATE FUNCTION parvis.enter(for_tenant TEXT) RETURNS VOID LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    said TEXT;
BEGIN
    -- Assignments cost a tenth of a SELECT.
    said := set_config('parvis.tenant', for_tenant, true);
    said := set_config('search_path', 'parvis_plugins', true);
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        said := set_config('synchronous_commit', 'on', true);
    END IF;
END
$$;

-- One batch of a call: where it goes, and how many entries and bytes of updates it has.
CREATE TYPE parvis.batch AS (
    room TEXT,
    part TEXT,
    fence BIGINT,
    expected BIGINT,
    entries BIGINT,
    size BIGINT
);

-- One entry of a call: of which batch it is, and its place there, both from 1.
CREATE TYPE parvis.entry AS (
    batch INT,
    place INT,
    body BYTEA,
    sender TEXT,
    time DOUBLE PRECISION,
    key BYTEA
);

-- Appends batches, each to another part, and answers each of them alone.
--
-- A verdict is 0 logged, 1 gone, 2 fenced, 3 look closer: the log ends elsewhere. Nothing was
-- logged of a batch whose verdict is not 0; a key that is known already fails the whole call.
-- Rooms are locked in the order of their names, so that two calls never wait for each other in a
-- circle; the lock holds a take-over back until the rows stand, and from then on the fence tells.
--
-- Arrays of composites, because each array costs driver and server some time for each of its
-- elements. Every table is gone through by its keys, whatever its size was when the plan was made;
-- so there is no use in planning for each call, which took most of a small one's time.
CREATE FUNCTION parvis.append(
    for_tenant TEXT,
    batches parvis.batch[],
    entries parvis.entry[],
    OUT verdicts INT[],
    OUT ends BIGINT[],
    OUT known_fences BIGINT[]
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    room_ids BIGINT[];
    part_ids BIGINT[];
BEGIN
    PERFORM parvis.enter(for_tenant);
    SELECT
        array_agg(locked.id ORDER BY wanted.number),
        array_agg(locked.fence ORDER BY wanted.number)
    INTO room_ids, known_fences
    FROM (
        SELECT batch.room, batch.number
        FROM unnest(batches) WITH ORDINALITY
            AS batch (room, part, fence, expected, entries, size, number)
        ORDER BY batch.room COLLATE "C"
    ) AS wanted
    LEFT JOIN LATERAL (
        SELECT room.id, CASE WHEN room.deleted IS NULL THEN room.fence END AS fence
        FROM parvis.parvis_room AS room
        WHERE room.tenant = for_tenant AND room.name = wanted.room
        FOR NO KEY UPDATE
    ) AS locked ON true;

    -- A statement of its own sees what was committed while the locks were waited for.
    SELECT
        array_agg(
            CASE
                WHEN batch.known IS NULL THEN 1
                WHEN batch.known <> batch.fence THEN 2
                WHEN coalesce(part.end_offset, 0) <> batch.expected THEN 3
                ELSE 0
            END
            ORDER BY batch.number
        ),
        array_agg(coalesce(part.end_offset, 0) ORDER BY batch.number),
        array_agg(part.id ORDER BY batch.number)
    INTO verdicts, ends, part_ids
    FROM ROWS FROM (unnest(batches), unnest(room_ids), unnest(known_fences)) WITH ORDINALITY
        AS batch (room, part, fence, expected, entries, size, room_id, known, number)
    LEFT JOIN LATERAL (
        SELECT part.id, part.end_offset FROM parvis.parvis_part AS part
        WHERE part.tenant = for_tenant AND part.room = batch.room_id AND part.name = batch.part
        LIMIT 1
    ) AS part ON true;

    IF array_position(part_ids, NULL) IS NOT NULL THEN
        INSERT INTO parvis.parvis_part (tenant, room, name)
        SELECT for_tenant, batch.room_id, batch.part
        FROM ROWS FROM (unnest(batches), unnest(room_ids), unnest(part_ids), unnest(verdicts))
            AS batch (room, part, fence, expected, entries, size, room_id, id, verdict)
        WHERE batch.id IS NULL AND batch.verdict = 0 AND batch.entries > 0;
        SELECT array_agg(part.id ORDER BY batch.number)
        INTO part_ids
        FROM ROWS FROM (unnest(batches), unnest(room_ids)) WITH ORDINALITY
            AS batch (room, part, fence, expected, entries, size, room_id, number)
        LEFT JOIN parvis.parvis_part AS part
            ON part.tenant = for_tenant AND part.room = batch.room_id AND part.name = batch.part;
    END IF;

    INSERT INTO parvis.parvis_log (tenant, part, "offset", body, sender, time, key)
    SELECT
        for_tenant, part_ids[entry.batch], ends[entry.batch] + entry.place,
        entry.body, entry.sender, entry.time, entry.key
    FROM unnest(entries) AS entry
    WHERE verdicts[entry.batch] = 0;

    UPDATE parvis.parvis_part AS part
    SET end_offset = part.end_offset + batch.entries, size = part.size + batch.size
    FROM ROWS FROM (unnest(batches), unnest(part_ids), unnest(verdicts))
        AS batch (room, part, fence, expected, entries, size, id, verdict)
    WHERE part.tenant = for_tenant AND part.id = batch.id
        AND batch.verdict = 0 AND batch.entries > 0;
END
$$;
