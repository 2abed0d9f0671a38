CREATE OR REPLACE FUNCTION rollup.catch_up(account_id bigint DEFAULT NULL::bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Settles what had to be put off, and takes over the time zone that the application keeps for an
 * account (NULL: for each) where no trigger has. Waits for no transaction.
 */
DECLARE
    missed bigint[];
BEGIN
    PERFORM rollup.settle_invalidations();
    missed := ARRAY (SELECT m.account_id FROM rollup.missed_settings(catch_up.account_id) m);

    IF cardinality(missed) > 0 THEN
        PERFORM rollup.follow_accounts(missed);
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.catch_up(bigint) IS
    'Settles what had to be put off and takes over time zones that changed unseen, of an account (NULL: of all), without waiting.';

REVOKE EXECUTE ON FUNCTION rollup.catch_up(bigint) FROM PUBLIC;
