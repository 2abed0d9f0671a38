CREATE OR REPLACE FUNCTION rollup.backfill_chunk(account_ids bigint[], since date, until date)
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * Fills in the history of accounts on the days since (inclusive) until (exclusive; NULL: no bound),
 * and returns how many rows it had to change. Puts the time zones that are wanted into force.
 *
 * Where all of the accounts are covered on these days but for some metrics or dimensions, only those
 * are computed. Of an account that has been switched off all totals are removed, but for sealed days.
 */
DECLARE
    changed bigint := 0;
    span datemultirange := datemultirange(daterange(
        nullif(backfill_chunk.since, '-infinity'),
        nullif(backfill_chunk.until, 'infinity')
    ));
    metrics text[];
    dimension_types text[];
BEGIN
    PERFORM rollup.require_days(backfill_chunk.since, backfill_chunk.until);
    PERFORM rollup.require_triggers();
    PERFORM rollup.require_columns();

    PERFORM rollup.lock_record(backfill_chunk.account_ids);
    IF NOT rollup.is_deployed('e56bad6e872de8b76cc738ed9d1347a361a7c664b7174fda11e03e037b9e6b8d') THEN
        RAISE EXCEPTION 'another registry has been deployed meanwhile'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Nothing has been changed: call it again.';
    END IF;

    -- From here on no partition can be dropped or detached before the transaction ends.
    LOCK TABLE public.reporting_events IN ACCESS SHARE MODE;
    PERFORM rollup.require_partitions(
        backfill_chunk.account_ids, backfill_chunk.since, backfill_chunk.until
    );

    PERFORM rollup.switch_timezone(backfill_chunk.account_ids);

    IF EXISTS (
        SELECT
        FROM rollup.uncovered(
            backfill_chunk.account_ids, backfill_chunk.since, backfill_chunk.until, but_for_gaps => true
        )
    )
    OR EXISTS (
        SELECT
        FROM rollup.accounts a
        WHERE a.account_id = ANY (backfill_chunk.account_ids)
        AND a.timezone IS NULL
    ) THEN
        RETURN rollup.rebuild_accounts(
            backfill_chunk.account_ids, backfill_chunk.since, backfill_chunk.until, NULL, NULL
        );
    END IF;

    SELECT
        array_agg(DISTINCT g.metric) FILTER (WHERE g.metric IS NOT NULL),
        array_agg(DISTINCT g.dimension_type) FILTER (WHERE g.dimension_type IS NOT NULL)
    INTO
        metrics,
        dimension_types
    FROM rollup.gaps g
    JOIN rollup.accounts a ON a.account_id = g.account_id
    WHERE g.account_id = ANY (backfill_chunk.account_ids)
    AND g.days - a.sealed && span;

    IF metrics IS NOT NULL THEN
        changed := rollup.rebuild_accounts(
            backfill_chunk.account_ids, backfill_chunk.since, backfill_chunk.until, metrics, NULL
        );
    END IF;

    IF dimension_types IS NOT NULL THEN
        changed := changed + rollup.rebuild_accounts(
            backfill_chunk.account_ids, backfill_chunk.since, backfill_chunk.until, NULL, dimension_types
        );
    END IF;

    RETURN changed;
END
$function$;

COMMENT ON FUNCTION rollup.backfill_chunk(bigint[], date, date) IS
    'Fills in what is not covered of accounts on the days since (inclusive) until (exclusive; NULL: no bound); returns how many rows it had to change.';

REVOKE EXECUTE ON FUNCTION rollup.backfill_chunk(bigint[], date, date) FROM PUBLIC;
