CREATE OR REPLACE FUNCTION rollup.reporting_events_after_truncate()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
/*
 * Keeps the rollups exact over a TRUNCATE of events, which holds ACCESS EXCLUSIVE on the table: who
 * held a slot, and the table with it, has gone or is about to let go of both.
 *
 * Some cases are left to the next backfill, no day being covered until then. Above READ COMMITTED a
 * rebuild might not see all of the record. Where only a partition is truncated, whoever has written
 * to another holds a slot, and may want to write to this one next. Where this transaction holds
 * slots already, a rebuild may be waiting for them that holds others. While another trigger is off, no
 * day may be called covered. And a rebuild would fail where the server no longer knows a time zone.
 */
DECLARE
    is_whole boolean;
    has_slots boolean;
BEGIN
    IF TG_TABLE_NAME <> 'reporting_events' OR TG_TABLE_SCHEMA <> 'public' THEN
        IF NOT rollup.is_part_of(TG_RELID, 'public.reporting_events') THEN
            RETURN NULL;
        END IF;
    END IF;

    SELECT
        coalesce(bool_or(
            l.locktype = 'relation'
            AND l.relation = 'public.reporting_events'::regclass
            AND l.mode = 'AccessExclusiveLock'
        ), false),
        coalesce(bool_or(
            l.locktype = 'advisory'
            AND l.classid = 1919904876
            AND l.objid < 256
        ), false)
    INTO
        is_whole,
        has_slots
    FROM pg_locks l
    WHERE l.pid = pg_backend_pid();

    IF is_whole AND TG_RELID <> 'public.reporting_events'::regclass THEN
        RETURN NULL;  -- the table's own trigger sees to its partitions
    END IF;

    IF is_whole
        AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
        AND rollup.are_triggers_on()
        AND NOT EXISTS (SELECT FROM rollup.table_problems())
        AND NOT EXISTS (SELECT FROM rollup.accounts a WHERE NOT rollup.knows_timezone(a.timezone))
        AND (
            NOT has_slots
            OR 256 = cardinality(rollup.try_slots(ARRAY (
                SELECT s.slot
                FROM generate_series(0, 255) s (slot)
            )))
        )
    THEN
        PERFORM rollup.lock_record(NULL);
        PERFORM rollup.switch_timezone(NULL);
        PERFORM rollup.rebuild_accounts(NULL, NULL, NULL, NULL, NULL);
    ELSE
        INSERT INTO rollup.invalidations (account_id)
        VALUES (NULL);
    END IF;

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.reporting_events_after_truncate() IS
    'Trigger function: keeps the rollups exact over a TRUNCATE of events.';

-- Nobody else may run it, with its owner's rights, on a table of his own.
REVOKE EXECUTE ON FUNCTION rollup.reporting_events_after_truncate() FROM PUBLIC;
