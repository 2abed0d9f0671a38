CREATE OR REPLACE FUNCTION rollup.fold_near(account_ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Folds what other sessions have left pending of accounts whose slots the caller holds. About one
 * statement in eight calls it, chosen by the microseconds of the clock. Where 32 writers meet in one
 * account, it finds some 250 events, many of which add to the same totals; to look more often writes
 * nearly as many totals for fewer events. What is further back than 4096 ids, and more
 * than 500 events, is left for rollup.fold(), because the caller's writer waits.
 */
<<fold_near>>
DECLARE
    newest bigint := (SELECT s.last_value FROM rollup.pending_events_id_seq s);
BEGIN
    IF EXISTS (
        SELECT
        FROM rollup.pending_events p
        WHERE p.id > fold_near.newest - 4096
        AND p.account_id = ANY (fold_near.account_ids)
    ) THEN
        PERFORM rollup.fold_pending(fold_near.account_ids, newest - 4096, 500);
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.fold_near(bigint[]) IS
    'Folds some of what came last of what is pending of accounts whose slots the caller holds.';

REVOKE EXECUTE ON FUNCTION rollup.fold_near(bigint[]) FROM PUBLIC;
