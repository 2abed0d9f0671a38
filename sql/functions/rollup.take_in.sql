CREATE OR REPLACE FUNCTION rollup.take_in(events rollup.event[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Takes in the events of a statement, 100000 at most. Totals of an account are written only under
 * its slot, an advisory lock that is tried and never waited for. Where this transaction holds it, the
 * events are recorded; where it does not, they are appended to rollup.pending_events, which reads
 * nothing and waits for no other session. Readers of rollup.current_rollups see the sum of both.
 *
 * Trying the slots is a statement of its own: the next one's snapshot is younger than the lock, and
 * so sees all that earlier holders of the slot have committed.
 */
<<take_in>>
DECLARE
    account_ids bigint[] := ARRAY (SELECT DISTINCT e.account_id FROM unnest(take_in.events) e);
    held bigint[] := '{}';
BEGIN
    -- Where row-level security may refuse totals, the events wait.
    IF NOT row_security_active('public.reporting_events_rollups'::regclass)
    AND NOT row_security_active('rollup.accounts'::regclass)
    AND NOT row_security_active('rollup.distinct_members'::regclass) THEN
        held := rollup.try_slots(account_ids);
    END IF;

    IF cardinality(held) = cardinality(account_ids) THEN
        PERFORM rollup.record_events(take_in.events);
    ELSE
        PERFORM rollup.append_events(ARRAY (
            SELECT ROW(e.*)::rollup.event
            FROM unnest(take_in.events) e
            WHERE e.account_id <> ALL (take_in.held)
        ));

        IF cardinality(held) > 0 THEN
            PERFORM rollup.record_events(ARRAY (
                SELECT ROW(e.*)::rollup.event
                FROM unnest(take_in.events) e
                WHERE e.account_id = ANY (take_in.held)
            ));
        END IF;
    END IF;

    IF cardinality(held) > 0 AND date_part('microseconds', clock_timestamp())::integer & 7 = 0 THEN
        PERFORM rollup.fold_near(held);
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.take_in(rollup.event[]) IS
    'Records events of accounts whose slots are free, and appends those of others to what is pending.';

REVOKE EXECUTE ON FUNCTION rollup.take_in(rollup.event[]) FROM PUBLIC;
