CREATE OR REPLACE FUNCTION rollup.fold_in_turn(appended bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Called after so many events have been appended: folds some of what is pending where one of them was the
 * last of a turn, one whose id is a multiple of 512.
 *
 * A turn folds the events of a sixteenth of the accounts, each sixteenth in turn, and of all that have
 * 256 or more, where their slots are free: they are tried and never waited for. Sixteenths are told
 * by a hash, because ids may have their last bits in common. The more events of an account come
 * together, the fewer rows of totals have to be written for each. But a turn folds 2048 events at
 * most, because its own writer waits for it: most of a large load is left to rollup.fold(). Only the last
 * 16384 ids are looked through: behind them an old snapshot may keep any number
 * of dead rows.
 *
 * Trying is a statement of its own: the next one's snapshot is younger than the lock, and so sees all
 * that earlier holders of the slot have committed.
 */
<<fold_in_turn>>
DECLARE
    newest bigint := currval('rollup.pending_events_id_seq');
    turn bigint := newest / 512;
    turns bigint := turn - (newest - fold_in_turn.appended) / 512;
    held bigint[];
BEGIN
    IF turns = 0
        OR NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
        OR NOT (NOT row_security_active('public.reporting_events_rollups'::regclass)
        AND NOT row_security_active('rollup.accounts'::regclass)
        AND NOT row_security_active('rollup.distinct_members'::regclass))
    THEN
        RETURN;
    END IF;

    held := rollup.try_slots(ARRAY (
        SELECT p.account_id
        FROM rollup.pending_events p
        WHERE p.id > fold_in_turn.newest - 16384
        GROUP BY p.account_id
        HAVING (fold_in_turn.turn - (hashint8(p.account_id) & 15)) & 15 < fold_in_turn.turns
        OR count(*) >= 256
    ));

    IF cardinality(held) > 0 THEN
        PERFORM rollup.fold_pending(held, newest - 16384, 2048);
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.fold_in_turn(bigint) IS
    'Folds some of what is pending where this transaction has appended the last event of a turn.';

REVOKE EXECUTE ON FUNCTION rollup.fold_in_turn(bigint) FROM PUBLIC;
