CREATE OR REPLACE FUNCTION rollup.void_coverage(again boolean DEFAULT true)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET row_security TO 'on'
AS $function$
#variable_conflict use_column
/*
 * Voids the coverage of every account, by appending to a table where nothing is waited for; unless
 * `again`, only where that is not to be seen there yet. The snapshot of a transaction above READ
 * COMMITTED may show an entry that has been settled since, so such a transaction always appends.
 *
 * Writers of events and accounts come here, by the rights of the owner, and must not fail: after
 * FORCE ROW LEVEL SECURITY the policy rollup_all lets the owner in, which is why row_security is on,
 * where the trigger functions of accounts have it off to be told of what is hidden from them.
 */
BEGIN
    IF void_coverage.again
        OR NOT current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
        OR NOT EXISTS (SELECT FROM rollup.invalidations i WHERE i.account_id IS NULL)
    THEN
        INSERT INTO rollup.invalidations (account_id)
        VALUES (NULL);
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.void_coverage(boolean) IS
    'Voids the coverage of every account without waiting; unless again, only where that has not been done yet.';

REVOKE EXECUTE ON FUNCTION rollup.void_coverage(boolean) FROM PUBLIC;
