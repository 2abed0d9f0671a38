CREATE OR REPLACE FUNCTION rollup.try_slots(account_ids bigint[])
 RETURNS bigint[]
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Tries the slots of accounts and returns the accounts whose slots this transaction now holds, until
 * it ends. Never waits. Whoever holds an account's slot may write its record; 256 slots, shared by
 * account_id & 255, bound what a transaction takes of the server's lock table.
 *
 * Above READ COMMITTED the answer is always none: the snapshot of such a transaction is older than
 * the lock, so that it could overwrite what it cannot see and would fail for it (SQLSTATE 40001).
 */
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RETURN '{}';
    END IF;

    IF cardinality(account_ids) = 1 THEN
        IF pg_try_advisory_xact_lock(1919904876, (account_ids[1] & 255)::integer) THEN
            RETURN account_ids;
        END IF;
        RETURN '{}';
    END IF;

    RETURN ARRAY (
        SELECT i.account_id
        FROM unnest(account_ids) i (account_id)
        WHERE i.account_id & 255 = ANY (ARRAY (
            SELECT s.slot
            FROM (
                SELECT DISTINCT j.account_id & 255 AS slot
                FROM unnest(account_ids) j (account_id)
                ORDER BY slot
            ) s
            WHERE pg_try_advisory_xact_lock(1919904876, s.slot::integer)
        ))
    );
END
$function$;

COMMENT ON FUNCTION rollup.try_slots(bigint[]) IS
    'Tries, without waiting, the slots that guard the record of these accounts; returns the accounts whose slots are now held.';
