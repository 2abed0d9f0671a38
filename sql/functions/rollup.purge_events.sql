CREATE OR REPLACE PROCEDURE rollup.purge_events(IN before date, IN account_id bigint DEFAULT NULL::bigint)
 LANGUAGE plpgsql
AS $procedure$
#variable_conflict use_column
/*
 * Deletes the raw events of an account (NULL: of every account with a time zone) from days before
 * the given one and keeps their rollups. The days are sealed: drift, rebuild and backfill leave them
 * alone from then on. Works in chunks of 1 000 events, each committed: a writer of an event that is
 * being deleted waits for the end of its chunk. Stop it when you like and call it again.
 *
 * Days that are not over, not covered, or that differ from their events are never purged. For one
 * account that is an error (22023, 55000); of all, accounts that have such days are left out, with a
 * WARNING for each.
 *
 * Days that are over nowhere on earth are refused before any account is asked for its own.
 *
 * A procedure that commits cannot pin its search_path; so all that it names is qualified.
 */
DECLARE
    account pg_catalog.int8;
    purged pg_catalog.int8;
    total pg_catalog.int8;
    message pg_catalog.text;
    advice pg_catalog.text;
BEGIN
    PERFORM rollup.require_day(purge_events.before);
    PERFORM rollup.catch_up(purge_events.account_id);
    PERFORM rollup.require_account(purge_events.account_id);
    PERFORM rollup.require_columns();
    COMMIT;

    IF purge_events.before OPERATOR(pg_catalog.>)
        ((pg_catalog.now() AT TIME ZONE 'Etc/GMT-14')::pg_catalog.date)
    THEN
        RAISE EXCEPTION 'the days before % are not over', purge_events.before
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Nothing has been deleted: give it today at the latest.';
    END IF;

    FOR account IN
        SELECT a.account_id
        FROM rollup.accounts a
        WHERE a.wanted IS NOT NULL
        AND (purge_events.account_id IS NULL OR a.account_id OPERATOR(pg_catalog.=) purge_events.account_id)
        ORDER BY a.account_id
    LOOP
        total := 0;
        LOOP
            BEGIN
                purged := rollup.purge_chunk(account, purge_events.before, 1000);
                message := NULL;
            EXCEPTION
                WHEN object_not_in_prerequisite_state OR invalid_parameter_value OR lock_not_available THEN
                    IF purge_events.account_id IS NOT NULL THEN
                        RAISE;
                    END IF;
                    purged := 0;
                    GET STACKED DIAGNOSTICS message := MESSAGE_TEXT, advice := PG_EXCEPTION_HINT;
            END;
            COMMIT;
            IF message IS NOT NULL THEN
                RAISE WARNING 'account % is not purged: %', account, message
                    USING HINT = advice;
                EXIT;
            END IF;
            total := total OPERATOR(pg_catalog.+) purged;
            EXIT WHEN purged OPERATOR(pg_catalog.=) 0;
        END LOOP;
        IF message IS NULL THEN
            RAISE NOTICE 'account %: % events purged before %', account, total, purge_events.before;
        END IF;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE rollup.purge_events(date, bigint) IS
    'Deletes the raw events of an account (NULL: of all) from days before the given one, in committed chunks, keeps their rollups and seals the days.';

REVOKE EXECUTE ON PROCEDURE rollup.purge_events(date, bigint) FROM PUBLIC;
