CREATE OR REPLACE PROCEDURE rollup.backfill(IN account_id bigint DEFAULT NULL::bigint, IN since date DEFAULT NULL::date, IN until date DEFAULT NULL::date, IN chunk_events bigint DEFAULT 20000)
 LANGUAGE plpgsql
AS $procedure$
#variable_conflict use_column
/*
 * Fills in the history of an account (NULL: of every account with a time zone) on the days since
 * (inclusive) until (exclusive), in chunks of about chunk_events events, each committed and marked as
 * covered, with a NOTICE for each. Safe beside live writers; today is included. Stop it when you
 * like: the next call goes on with what is not covered.
 *
 * A procedure that commits cannot pin its search_path; so all that it names is qualified. It commits
 * before each chunk, too: the plan has locked the events table, while a slot is waited for nothing
 * else may be.
 */
DECLARE
    chunk rollup.chunk;
    changed pg_catalog.int8;
    account pg_catalog.int8;
BEGIN
    PERFORM rollup.catch_up(backfill.account_id);

    FOR chunk IN
        SELECT c.account_ids, c.since, c.until, c.events
        FROM rollup.backfill_chunks(
            backfill.account_id, backfill.since, backfill.until, backfill.chunk_events
        ) c
    LOOP
        COMMIT;
        changed := rollup.backfill_chunk(chunk.account_ids, chunk.since, chunk.until);
        COMMIT;
        RAISE NOTICE '%: % to %: % events, % rows changed',
            CASE
                WHEN pg_catalog.cardinality(chunk.account_ids) OPERATOR(pg_catalog.=) 1
                THEN pg_catalog.format('account %s', chunk.account_ids[1])
                ELSE pg_catalog.format('%s accounts', pg_catalog.cardinality(chunk.account_ids))
            END,
            coalesce(chunk.since::pg_catalog.text, 'the beginning'),
            coalesce(chunk.until::pg_catalog.text, 'today and after'),
            chunk.events,
            changed;
        FOR account IN
            SELECT u.account_id
            FROM rollup.uncovered(chunk.account_ids, chunk.since, chunk.until) u (account_id)
        LOOP
            RAISE WARNING 'account %: not covered, because another session is changing its time zone', account
                USING HINT = 'Call it again.';
        END LOOP;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE rollup.backfill(bigint, date, date, bigint) IS
    'Fills in the history of an account (NULL: of all) on the days since (inclusive) until (exclusive), in committed chunks beside live writers; can be stopped and called again.';

REVOKE EXECUTE ON PROCEDURE rollup.backfill(bigint, date, date, bigint) FROM PUBLIC;
