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
 * Above READ COMMITTED a rebuild might not see all of the record; there the record is truncated
 * like the events, which, like their TRUNCATE, waits for whoever is reading it.
 */
BEGIN
    IF current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        PERFORM rollup.rebuild();
    ELSE
        TRUNCATE public.reporting_events_rollups, rollup.distinct_members, rollup.pending_events;
    END IF;

    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION rollup.reporting_events_after_truncate() IS
    'Trigger function: keeps the rollups exact over a TRUNCATE of events.';
