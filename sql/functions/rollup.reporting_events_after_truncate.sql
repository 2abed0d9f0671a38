CREATE OR REPLACE FUNCTION rollup.reporting_events_after_truncate()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
#variable_conflict use_column
/*
 * Keeps the rollups exact over a TRUNCATE of events, which holds ACCESS EXCLUSIVE on the table: all
 * who read or write it wait for this function, so this function waits for nothing.
 *
 * Some cases are left to the next backfill, no day being covered until then. Above READ COMMITTED a
 * rebuild might not see all of the record. Where only a partition is truncated, a transaction that
 * has written to another holds a slot, and may want to write to this one next. While another trigger is
 * off, no day may be called covered. A rebuild would fail where the tables cannot be read as they are,
 * or the server no longer knows a time zone, and would delete the totals of a partition that is gone.
 * And where a slot or a row of ours is not free: any role that may connect can hold our advisory locks
 * for as long as it likes.
 */
DECLARE
    is_whole boolean;
    patience text := current_setting('lock_timeout');
BEGIN
    IF TG_TABLE_NAME <> 'reporting_events' OR TG_TABLE_SCHEMA <> 'public' THEN
        IF NOT rollup.is_part_of(TG_RELID, 'public.reporting_events') THEN
            PERFORM rollup.note_uncounted(TG_RELID);
            RETURN NULL;
        END IF;
    END IF;

    SELECT coalesce(bool_or(l.mode = 'AccessExclusiveLock'), false)
    INTO is_whole
    FROM pg_locks l
    WHERE l.pid = pg_backend_pid()
    AND l.locktype = 'relation'
    AND l.relation = 'public.reporting_events'::regclass;

    IF is_whole AND TG_RELID <> 'public.reporting_events'::regclass THEN
        RETURN NULL;  -- the table's own trigger sees to its partitions
    END IF;

    IF is_whole
        AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
        AND rollup.are_triggers_on()
        AND NOT EXISTS (SELECT FROM rollup.table_problems())
        AND NOT EXISTS (SELECT FROM rollup.gone_partitions())
        AND NOT EXISTS (SELECT FROM rollup.accounts a WHERE NOT rollup.knows_timezone(a.timezone))
        AND 256 = cardinality(rollup.try_slots(ARRAY (
            SELECT s.slot
            FROM generate_series(0, 255) s (slot)
        )))
    THEN
        -- The slots guard the record against writers, but not against a session that has locked its
        -- rows or tables by hand. What is undone here is done by the next backfill.
        BEGIN
            PERFORM set_config('lock_timeout', '1ms', true);
            PERFORM rollup.lock_record(NULL);
            PERFORM rollup.switch_timezone(NULL);
            PERFORM rollup.rebuild_accounts(NULL, NULL, NULL, NULL, NULL);
            PERFORM set_config('lock_timeout', patience, true);
            RETURN NULL;
        EXCEPTION
            WHEN lock_not_available THEN
                NULL;
        END;
    END IF;

    PERFORM rollup.void_coverage();

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.reporting_events_after_truncate() IS
    'Trigger function: keeps the rollups exact over a TRUNCATE of events.';

-- No other role may run it, with its owner's rights, on a table of that role.
REVOKE EXECUTE ON FUNCTION rollup.reporting_events_after_truncate() FROM PUBLIC;
