CREATE OR REPLACE FUNCTION rollup.lock_record(account_id bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Takes the slot of an account, or every slot for NULL, and waits for it; lock_timeout is honoured.
 * From here to the end of the transaction writers append, and nobody else changes the record. Then
 * settles what had to be put off: see rollup.settle_invalidations().
 *
 * Takes the events table as well, in ACCESS SHARE mode, but waits for neither while it holds the
 * other. A writer who holds a slot may be about to truncate the table or to alter it, and who is
 * truncating it comes here for the slots: either would wait for us for ever. What a handler undoes
 * it also unlocks.
 */
DECLARE
    has_slots boolean;
BEGIN
    PERFORM rollup.require_read_committed();

    LOOP
        has_slots := false;

        BEGIN
            PERFORM pg_advisory_xact_lock(1919904876, s.slot)
            FROM (
                SELECT i.slot
                FROM generate_series(0, 255) i (slot)
                WHERE lock_record.account_id IS NULL OR i.slot = lock_record.account_id & 255
                ORDER BY i.slot
                OFFSET 0
            ) s;
            has_slots := true;
            LOCK TABLE public.reporting_events IN ACCESS SHARE MODE NOWAIT;
            EXIT;
        EXCEPTION
            WHEN lock_not_available THEN
                IF NOT has_slots THEN
                    RAISE;
                END IF;
        END;

        BEGIN
            LOCK TABLE public.reporting_events IN ACCESS SHARE MODE;
            RAISE EXCEPTION USING ERRCODE = 'RU001', MESSAGE = 'the events table is free';
        EXCEPTION
            WHEN SQLSTATE 'RU001' THEN
                NULL;
        END;
    END LOOP;

    PERFORM rollup.settle_invalidations();
END
$function$;

COMMENT ON FUNCTION rollup.lock_record(bigint) IS
    'Waits for the slot that guards the record of an account (NULL: of all) and holds it until the transaction ends.';

REVOKE EXECUTE ON FUNCTION rollup.lock_record(bigint) FROM PUBLIC;
