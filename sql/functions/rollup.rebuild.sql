CREATE OR REPLACE FUNCTION rollup.rebuild(account_id bigint DEFAULT NULL::bigint, since date DEFAULT NULL::date, until date DEFAULT NULL::date)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * Makes the record true for an account (NULL: all accounts) on the days since (inclusive) until
 * (exclusive; NULL: no bound), marks those days as covered, and returns how many rows it had to
 * change, rollups and memberships together: see rollup.rebuild_accounts().
 *
 * Safe beside live writers: it waits for the slots of its accounts and holds them, so that writers
 * append meanwhile. Run it in a transaction that has written no events: it might deadlock otherwise.
 *
 * Without bounds it also puts the time zone that is wanted into force; see rollup.switch_timezone().
 */
DECLARE
    account_ids bigint[] := CASE WHEN rebuild.account_id IS NOT NULL THEN ARRAY [rebuild.account_id] END;
BEGIN
    PERFORM rollup.require_days(rebuild.since, rebuild.until);
    PERFORM rollup.require_tables();
    PERFORM rollup.require_triggers();
    PERFORM rollup.require_columns();

    IF rebuild.account_id IS NOT NULL THEN
        PERFORM rollup.require_known(rebuild.account_id);
    END IF;

    PERFORM rollup.lock_record(account_ids);
    IF NOT rollup.is_deployed('e56bad6e872de8b76cc738ed9d1347a361a7c664b7174fda11e03e037b9e6b8d') THEN
        RAISE EXCEPTION 'another registry has been deployed meanwhile'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Nothing has been changed: call it again.';
    END IF;

    -- From here on no partition can be dropped or detached before the transaction ends.
    LOCK TABLE public.reporting_events IN ACCESS SHARE MODE;
    PERFORM rollup.require_partitions(account_ids, rebuild.since, rebuild.until);

    PERFORM rollup.catch_up(rebuild.account_id);

    IF rebuild.since IS NULL AND rebuild.until IS NULL THEN
        PERFORM rollup.switch_timezone(account_ids);
    END IF;

    RETURN rollup.rebuild_accounts(account_ids, rebuild.since, rebuild.until, NULL, NULL);
END
$function$;

COMMENT ON FUNCTION rollup.rebuild(bigint, date, date) IS
    'Makes the rollups of an account (NULL: all) true on the days since (inclusive) until (exclusive) beside live writers, marks the days as covered, and returns how many rows it had to change.';

REVOKE EXECUTE ON FUNCTION rollup.rebuild(bigint, date, date) FROM PUBLIC;
