CREATE OR REPLACE FUNCTION rollup.fold(account_id bigint DEFAULT NULL::bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET row_security TO 'off'
 SET lock_timeout TO '1s'
AS $function$
#variable_conflict use_column
/*
 * Moves pending events, of one account or of all, into the record, and returns how many: at most
 * 100000 a call. Accounts that another session is writing at the moment are left for the next call.
 * While a session truncates or alters the events table, or has just deployed, nothing is folded. Reads of
 * rollup.current_rollups say the same before and after. Settles what had to be put off, too.
 *
 * Where none of the slots is free, it waits for that of the account with the most events, a second at
 * most: beside long transactions it would find none free for ever. Writers that try the slot meanwhile
 * append. It waits only in a transaction that has written nothing, and gives back the events table first:
 * so it holds nothing that the session ahead of it may be waiting for.
 *
 * Slots are taken behind the events table. A TRUNCATE that finds one taken could not set the totals.
 */
DECLARE
    account_ids bigint[];
    held bigint[];
BEGIN
    PERFORM rollup.require_read_committed();
    PERFORM rollup.require_tables();

    account_ids := ARRAY (
        SELECT p.account_id
        FROM rollup.pending_events p
        WHERE fold.account_id IS NULL OR p.account_id = fold.account_id
        GROUP BY p.account_id
        ORDER BY count(*) DESC
    );

    BEGIN
        LOCK TABLE public.reporting_events IN ACCESS SHARE MODE NOWAIT;
        held := rollup.try_slots(account_ids);

        IF held = '{}' AND account_ids <> '{}' AND pg_current_xact_id_if_assigned() IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'RU001', MESSAGE = 'no slot is free';
        END IF;

        PERFORM rollup.settle_invalidations();
    EXCEPTION
        WHEN lock_not_available THEN
            RETURN 0;
        WHEN SQLSTATE 'RU001' THEN
            held := NULL;
    END;

    IF held IS NULL THEN
        BEGIN
            PERFORM rollup.lock_record(account_ids [1:1]);
        EXCEPTION
            WHEN lock_not_available THEN
                RETURN 0;
        END;

        held := rollup.try_slots(account_ids [1:1]);
    END IF;

    IF NOT rollup.is_deployed('e56bad6e872de8b76cc738ed9d1347a361a7c664b7174fda11e03e037b9e6b8d') THEN
        RETURN 0;
    END IF;

    RETURN rollup.fold_pending(held, 0, 100000);
END
$function$;

COMMENT ON FUNCTION rollup.fold(bigint) IS
    'Moves pending events of an account (NULL: of all) into the rollup table; returns how many. Waits a second at most, and only where it could move none.';

REVOKE EXECUTE ON FUNCTION rollup.fold(bigint) FROM PUBLIC;
