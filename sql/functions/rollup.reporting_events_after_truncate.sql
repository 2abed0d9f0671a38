CREATE OR REPLACE FUNCTION rollup.reporting_events_after_truncate()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Keeps the rollups exact over a TRUNCATE of events, which holds ACCESS EXCLUSIVE on the table: by
 * the order of rollup.lock_record() nobody holds a slot, and the rebuild does not wait.
 *
 * Above READ COMMITTED a rebuild might not see all of the record. There the record is truncated
 * like the events, which, like their TRUNCATE, waits for whoever is reading it; where only a
 * partition was truncated, no day is covered any more until the next backfill.
 */
BEGIN
    IF current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        PERFORM rollup.rebuild();
    ELSIF TG_RELID <> 'public.reporting_events'::regclass THEN
        UPDATE rollup.accounts
        SET covered = '{}'
        WHERE covered <> '{}';
    ELSE
        TRUNCATE public.reporting_events_rollups, rollup.distinct_members, rollup.pending_events;
    END IF;

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.reporting_events_after_truncate() IS
    'Trigger function: keeps the rollups exact over a TRUNCATE of events.';
