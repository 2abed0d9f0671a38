CREATE OR REPLACE PROCEDURE rollup.purge_events(IN before date, IN account_id bigint DEFAULT NULL::bigint)
 LANGUAGE plpgsql
AS $procedure$
/*
 * Deletes the raw events of an account (NULL: of every account with a time zone) from days before
 * the given one and keeps their rollups. The days are sealed: drift, rebuild and backfill leave them
 * alone from then on. Works in chunks of 10 000 events, each committed. Stop it when you like and
 * call it again.
 *
 * Days that are not covered are never purged. For one account that is an error (55000); of all, those
 * that have such days are left out, with a WARNING for each.
 *
 * A procedure that commits cannot pin its search_path; so all that it names is qualified.
 */
DECLARE
    account pg_catalog.int8;
    purged pg_catalog.int8;
    total pg_catalog.int8;
BEGIN
    PERFORM rollup.require_day(purge_events.before);
    PERFORM rollup.catch_up(purge_events.account_id);
    PERFORM rollup.require_account(purge_events.account_id);
    COMMIT;

    FOR account IN
        SELECT a.account_id
        FROM rollup.accounts a
        WHERE a.wanted IS NOT NULL
        AND (purge_events.account_id IS NULL OR a.account_id OPERATOR(pg_catalog.=) purge_events.account_id)
        ORDER BY a.account_id
    LOOP
        IF purge_events.account_id IS NULL
            AND NOT rollup.is_covered(account, NULL, purge_events.before)
        THEN
            RAISE WARNING 'account %: not purged, for it has days before % that are not covered',
                account,
                purge_events.before
                USING HINT = pg_catalog.format('First run: CALL rollup.backfill(%s).', account);
            CONTINUE;
        END IF;

        total := 0;
        LOOP
            purged := rollup.purge_chunk(account, purge_events.before, 10000);
            COMMIT;
            total := total OPERATOR(pg_catalog.+) purged;
            EXIT WHEN purged OPERATOR(pg_catalog.=) 0;
        END LOOP;
        RAISE NOTICE 'account %: % events purged before %', account, total, purge_events.before;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE rollup.purge_events(date, bigint) IS
    'Deletes the raw events of an account (NULL: of all) from days before the given one, in committed chunks, keeps their rollups and seals the days.';

REVOKE EXECUTE ON PROCEDURE rollup.purge_events(date, bigint) FROM PUBLIC;
