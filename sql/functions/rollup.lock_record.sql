CREATE OR REPLACE FUNCTION rollup.lock_record(account_id bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Takes the slot of an account, or every slot for NULL, and waits for it; lock_timeout is honoured.
 * From here to the end of the transaction writers append, and nobody else changes the record.
 *
 * The order is the same wherever slots are waited for: the events table, then slots ascending. A
 * TRUNCATE holds the table when its trigger comes here, so whoever holds a slot must already hold
 * the table, or the two would wait for each other. Writers do: they hold ROW EXCLUSIVE.
 */
BEGIN
    PERFORM rollup.require_read_committed();

    LOCK TABLE public.reporting_events IN ACCESS SHARE MODE;

    PERFORM pg_advisory_xact_lock(1919904876, s.slot)
    FROM (
        SELECT i.slot
        FROM generate_series(0, 255) i (slot)
        WHERE lock_record.account_id IS NULL OR i.slot = lock_record.account_id & 255
        ORDER BY i.slot
        OFFSET 0
    ) s;
END
$function$;

COMMENT ON FUNCTION rollup.lock_record(bigint) IS
    'Waits for the slot that guards the record of an account (NULL: of all) and holds it until the transaction ends.';
