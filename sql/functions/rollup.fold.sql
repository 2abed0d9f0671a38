CREATE OR REPLACE FUNCTION rollup.fold(account_id bigint DEFAULT NULL::bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET row_security TO 'off'
AS $function$
/*
 * Moves pending events, of one account or of all, into the record, and returns how many: at most
 * 100 000 a call. It waits for no session: accounts that another one is writing at the moment are left for
 * the next call; while one truncates or alters the table, or has just deployed, all are.
 * Reads of rollup.current_rollups say the same before and after. Settles what had to be put off, too.
 */
DECLARE
    account_ids bigint[];
BEGIN
    PERFORM rollup.require_read_committed();

    BEGIN
        LOCK TABLE public.reporting_events IN ACCESS SHARE MODE NOWAIT;
    EXCEPTION
        WHEN lock_not_available THEN
            RETURN 0;
    END;

    PERFORM rollup.settle_invalidations();

    account_ids := ARRAY (
        SELECT DISTINCT p.account_id
        FROM rollup.pending_events p
        WHERE fold.account_id IS NULL OR p.account_id = fold.account_id
    );

    account_ids := rollup.try_slots(account_ids);

    IF NOT rollup.is_deployed('a7113861beb1a287e647e81b03b6372e660da16f1ec3dd83e8283b5c4b8eae72') THEN
        RETURN 0;
    END IF;

    RETURN rollup.fold_pending(account_ids, 0, 100000);
END
$function$;

COMMENT ON FUNCTION rollup.fold(bigint) IS
    'Moves pending events of an account (NULL: of all) into the rollup table without waiting; returns how many.';

REVOKE EXECUTE ON FUNCTION rollup.fold(bigint) FROM PUBLIC;
