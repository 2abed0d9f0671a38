CREATE OR REPLACE FUNCTION rollup.try_slots(account_ids bigint[])
 RETURNS bigint[]
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Tries the slots of accounts and returns the accounts whose record this transaction may now write,
 * until it ends. Never waits. 256 slots, shared by account_id & 255, bound what a transaction takes
 * of the server's lock table.
 *
 * Above READ COMMITTED the answer is always none: the snapshot of such a transaction is older than
 * the lock, so that it could overwrite what it cannot see and would fail for it (SQLSTATE 40001).
 *
 * An account whose time zone the server no longer knows, since an upgrade of its time zone data, is
 * left out as well: its events have no day, and asking for one would fail the writer. The handler
 * costs a subtransaction that writes nothing, and so takes no transaction id.
 */
DECLARE
    held bigint[] := ARRAY []::bigint[];
BEGIN
    IF NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        RETURN held;
    END IF;

    held := ARRAY (
        SELECT i.account_id
        FROM unnest(account_ids) i (account_id)
        WHERE pg_try_advisory_xact_lock(
            1919904876,
            0 + (i.account_id & 255)::integer
        )
    );

    BEGIN
        PERFORM now() AT TIME ZONE a.timezone
        FROM rollup.accounts a
        WHERE a.account_id = ANY (held);
    EXCEPTION
        WHEN invalid_parameter_value THEN
            held := ARRAY (
                SELECT i.account_id
                FROM unnest(held) i (account_id)
                LEFT JOIN rollup.accounts a ON a.account_id = i.account_id
                WHERE a.timezone IS NULL
                OR a.timezone IN (SELECT t.name FROM pg_timezone_names t)
            );
    END;

    RETURN held;
END
$function$;

COMMENT ON FUNCTION rollup.try_slots(bigint[]) IS
    'Tries, without waiting, the slots that guard the record of these accounts; returns the accounts whose record may now be written.';

REVOKE EXECUTE ON FUNCTION rollup.try_slots(bigint[]) FROM PUBLIC;
