CREATE OR REPLACE FUNCTION rollup.lock_record(account_ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Takes the slots of accounts, or every slot for NULL, and waits for them; lock_timeout is honoured.
 * From here to the end of the transaction writers append, and no other session changes the totals. Then
 * settles what had to be put off: see rollup.settle_invalidations().
 *
 * Takes the events table as well, in ACCESS SHARE mode. It never waits for slots while it holds the
 * table, nor for the table while it holds slots. A writer who holds a slot may be about to truncate
 * the table or to alter it, and who is truncating it comes here for the slots: either would wait for
 * us for ever. What a handler undoes it also unlocks.
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
                WHERE lock_record.account_ids IS NULL
                OR i.slot IN (SELECT a.account_id & 255 FROM unnest(lock_record.account_ids) a (account_id))
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

COMMENT ON FUNCTION rollup.lock_record(bigint[]) IS
    'Waits for the slots that guard the record of accounts (NULL: of all) and holds them until the transaction ends.';

REVOKE EXECUTE ON FUNCTION rollup.lock_record(bigint[]) FROM PUBLIC;
