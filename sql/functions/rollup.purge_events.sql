CREATE OR REPLACE PROCEDURE rollup.purge_events(IN before date, IN account_id bigint DEFAULT NULL::bigint)
 LANGUAGE plpgsql
AS $procedure$
/*
 * Deletes the raw events of an account (NULL: of every account with a time zone) from days before
 * the given one and keeps their rollups. The days are sealed: drift, rebuild and backfill leave them
 * alone from then on. Works in chunks of 10 000 events, each committed. Stop it when you like and
 * call it again.
 *
 * A procedure that commits cannot pin its search_path; so all that it names is qualified.
 */
DECLARE
    account pg_catalog.int8;
    purged pg_catalog.int8;
    total pg_catalog.int8;
BEGIN
    FOR account IN
        SELECT a.account_id
        FROM rollup.accounts a
        WHERE a.timezone IS NOT NULL
        AND (purge_events.account_id IS NULL OR a.account_id OPERATOR(pg_catalog.=) purge_events.account_id)
        ORDER BY
            NOT rollup.knows_timezone(a.timezone),
            a.account_id
    LOOP
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
