CREATE OR REPLACE PROCEDURE rollup.backfill(IN account_id bigint DEFAULT NULL::bigint, IN since date DEFAULT NULL::date, IN until date DEFAULT NULL::date)
 LANGUAGE plpgsql
AS $procedure$
/*
 * Fills in the history of an account (NULL: of every account with a time zone) on the days since
 * (inclusive) until (exclusive), chunk by chunk, each committed and marked as covered, with a
 * NOTICE for each. Safe beside live writers; today is included. Stop it when you like: the next
 * call goes on with what is not covered.
 *
 * A procedure that commits cannot pin its search_path; so all that it names is qualified. It commits
 * before each chunk, too: the plan has locked the events table, while a slot is waited for nothing
 * else may be.
 */
DECLARE
    chunk rollup.chunk;
    changed pg_catalog.int8;
BEGIN
    PERFORM rollup.settle_invalidations();

    FOR chunk IN
        SELECT c.account_id, c.since, c.until, c.events
        FROM rollup.backfill_chunks(backfill.account_id, backfill.since, backfill.until) c
    LOOP
        COMMIT;
        PERFORM rollup.switch_timezone(chunk.account_id);
        changed := rollup.rebuild(chunk.account_id, chunk.since, chunk.until);
        COMMIT;
        RAISE NOTICE 'account %: % to %: % events, % rows changed',
            chunk.account_id,
            coalesce(chunk.since::pg_catalog.text, 'the beginning'),
            coalesce(chunk.until::pg_catalog.text, 'today and after'),
            chunk.events,
            changed;
        IF NOT rollup.is_covered(chunk.account_id, chunk.since, chunk.until) THEN
            RAISE WARNING 'account %: not covered, for somebody is changing its time zone', chunk.account_id
                USING HINT = 'Call it again.';
        END IF;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE rollup.backfill(bigint, date, date) IS
    'Fills in the history of an account (NULL: of all) on the days since (inclusive) until (exclusive), in committed chunks beside live writers; can be stopped and called again.';

REVOKE EXECUTE ON PROCEDURE rollup.backfill(bigint, date, date) FROM PUBLIC;
