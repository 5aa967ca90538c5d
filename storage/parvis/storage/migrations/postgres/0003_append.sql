-- The calls of a node: one that begins a transaction, and one that appends to many rooms.

-- Says whose rows are meant until the transaction ends, where plugins' tables are, and that a
-- COMMIT waits for the disk whatever the role's own settings are.
CREATE FUNCTION parvis.enter(for_tenant TEXT) RETURNS VOID LANGUAGE sql VOLATILE AS $$
    SELECT
        set_config('parvis.tenant', for_tenant, true),
        set_config('search_path', 'parvis_plugins', true),
        CASE
            WHEN current_setting('synchronous_commit') IN ('off', 'local')
            THEN set_config('synchronous_commit', 'on', true)
        END
$$;

-- Appends batches, each to another part, and answers each of them alone.
--
-- A verdict is 0 logged, 1 gone, 2 fenced, 3 look closer: the log ends elsewhere, or knows one of
-- the keys. Nothing was logged of a batch whose verdict is not 0. Rooms are locked in the order of
-- their names, so that two calls never wait for each other in a circle; the lock holds a take-over
-- back until the rows stand, and from then on `fence` tells.
CREATE FUNCTION parvis.append(
    for_tenant TEXT,
    rooms TEXT[],
    parts TEXT[],
    fences BIGINT[],
    expected BIGINT[],
    counts BIGINT[], -- of each batch's entries
    sizes BIGINT[], -- of each batch's bytes
    batches INT[], -- of which batch each entry is
    places INT[], -- each entry's place in its batch, from 1
    bodies BYTEA[],
    senders TEXT[],
    times DOUBLE PRECISION[],
    keys BYTEA[],
    OUT verdicts INT[],
    OUT ends BIGINT[],
    OUT known_fences BIGINT[]
) LANGUAGE plpgsql VOLATILE SECURITY INVOKER AS $$
DECLARE
    room_ids BIGINT[];
    part_ids BIGINT[];
BEGIN
    PERFORM parvis.enter(for_tenant);
    -- LATERAL: each room by its key. A plan made while the tables were small would otherwise read
    -- all of a tenant's rooms when there are many.
    PERFORM 1
    FROM (SELECT DISTINCT name COLLATE "C" AS name FROM unnest(rooms) AS name ORDER BY 1) AS wanted
    CROSS JOIN LATERAL (
        SELECT 1 FROM parvis.parvis_room AS room
        WHERE room.tenant = for_tenant AND room.name = wanted.name
        FOR NO KEY UPDATE
    ) AS locked;
    SELECT
        array_agg(
            CASE
                WHEN room.id IS NULL OR room.deleted IS NOT NULL THEN 1
                WHEN room.fence <> batch.fence THEN 2
                WHEN coalesce(part.end_offset, 0) <> batch.expected THEN 3
                ELSE 0
            END
            ORDER BY batch.number
        ),
        array_agg(coalesce(part.end_offset, 0) ORDER BY batch.number),
        array_agg(coalesce(room.fence, 0) ORDER BY batch.number),
        array_agg(room.id ORDER BY batch.number),
        array_agg(part.id ORDER BY batch.number)
    INTO verdicts, ends, known_fences, room_ids, part_ids
    FROM unnest(rooms, parts, fences, expected)
        WITH ORDINALITY AS batch (room, part, fence, expected, number)
    LEFT JOIN LATERAL (
        SELECT known.id, known.fence, known.deleted FROM parvis.parvis_room AS known
        WHERE known.tenant = for_tenant AND known.name = batch.room LIMIT 1
    ) AS room ON true
    LEFT JOIN LATERAL (
        SELECT known.id, known.end_offset FROM parvis.parvis_part AS known
        WHERE known.tenant = for_tenant AND known.room = room.id AND known.name = batch.part LIMIT 1
    ) AS part ON true;

    BEGIN
        IF array_position(part_ids, NULL) IS NOT NULL THEN
            INSERT INTO parvis.parvis_part (tenant, room, name)
            SELECT for_tenant, batch.room, batch.part
            FROM unnest(room_ids, parts, part_ids, verdicts, counts)
                AS batch (room, part, id, verdict, entries)
            WHERE batch.id IS NULL AND batch.verdict = 0 AND batch.entries > 0;
            SELECT array_agg(part.id ORDER BY batch.number) INTO part_ids
            FROM unnest(room_ids, parts) WITH ORDINALITY AS batch (room, part, number)
            LEFT JOIN parvis.parvis_part AS part
                ON part.tenant = for_tenant AND part.room = batch.room AND part.name = batch.part;
        END IF;
        INSERT INTO parvis.parvis_log (tenant, part, "offset", body, sender, time, key)
        SELECT
            for_tenant, part_ids[entry.batch], ends[entry.batch] + entry.place,
            entry.body, entry.sender, entry.time, entry.key
        FROM unnest(batches, places, bodies, senders, times, keys)
            AS entry (batch, place, body, sender, time, key)
        WHERE verdicts[entry.batch] = 0;
        UPDATE parvis.parvis_part AS part
        SET end_offset = part.end_offset + batch.entries, size = part.size + batch.size
        FROM unnest(part_ids, verdicts, counts, sizes) AS batch (part, verdict, entries, size)
        WHERE part.tenant = for_tenant AND part.id = batch.part
            AND batch.verdict = 0 AND batch.entries > 0;
    EXCEPTION WHEN unique_violation THEN
        SELECT array_agg(CASE WHEN batch.verdict = 0 THEN 3 ELSE batch.verdict END
            ORDER BY batch.number)
        INTO verdicts
        FROM unnest(verdicts) WITH ORDINALITY AS batch (verdict, number);
    END;
END
$$;
