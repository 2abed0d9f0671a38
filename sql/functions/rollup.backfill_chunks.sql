CREATE OR REPLACE FUNCTION rollup.backfill_chunks(account_id bigint DEFAULT NULL::bigint, since date DEFAULT NULL::date, until date DEFAULT NULL::date, chunk_events bigint DEFAULT 20000)
 RETURNS SETOF rollup.chunk
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * The plan of a backfill: for every account with a time zone, the requested days cut into chunks of
 * about chunk_events events, oldest first, without those that are covered. The chunks of an account
 * leave no day out: where no bound was asked for, the first begins and the last ends with NULL.
 * Accounts with fewer events share chunks; one without any counts as 20. One that has been switched off
 * has a chunk of its own, which removes its totals.
 *
 * Events are counted by UTC day, so a chunk's number of events is near, not exact.
 */
<<backfill_chunks>>
DECLARE
    account_ids bigint[] := CASE
        WHEN backfill_chunks.account_id IS NOT NULL THEN ARRAY [backfill_chunks.account_id]
    END;
BEGIN
    PERFORM rollup.require_days(backfill_chunks.since, backfill_chunks.until);
    PERFORM rollup.require_tables();
    PERFORM rollup.require_columns();

    -- One that has been switched off, but is not yet removed, has a plan as well.
    IF NOT EXISTS (
        SELECT
        FROM rollup.accounts a
        WHERE a.account_id = backfill_chunks.account_id
        AND a.timezone IS NOT NULL
    ) THEN
        PERFORM rollup.require_account(backfill_chunks.account_id);
    END IF;

    PERFORM rollup.require_partitions(account_ids, backfill_chunks.since, backfill_chunks.until);

    RETURN QUERY
    WITH days AS (
        SELECT
            a.account_id,
            e.date,
            count(*) AS events
        FROM (
            SELECT
                e.account_id,
                (e.at AT TIME ZONE 'UTC')::date AS date
            FROM rollup.events_near(
                backfill_chunks.account_ids, backfill_chunks.since, backfill_chunks.until, NULL
            ) e
        ) e
        JOIN rollup.accounts a ON a.account_id = e.account_id
        WHERE a.wanted IS NOT NULL
        AND (backfill_chunks.since IS NULL OR e.date >= backfill_chunks.since)
        AND (backfill_chunks.until IS NULL OR e.date < backfill_chunks.until)
        GROUP BY
            a.account_id,
            e.date
    ),
    numbered AS (
        SELECT
            a.account_id,
            d.date,
            coalesce(d.events, 0) AS events,
            (
                coalesce(sum(d.events) OVER (PARTITION BY a.account_id ORDER BY d.date), 0)
                - coalesce(d.events, 0)
            )::bigint / greatest(coalesce(backfill_chunks.chunk_events, 20000), 1) AS number
        FROM rollup.accounts a
        LEFT JOIN days d ON d.account_id = a.account_id
        WHERE a.wanted IS NOT NULL
        AND (backfill_chunks.account_id IS NULL OR a.account_id = backfill_chunks.account_id)
    ),
    spans AS (
        SELECT
            c.account_id,
            CASE
                WHEN lag(c.number) OVER account IS NULL THEN backfill_chunks.since
                ELSE min(c.date)
            END AS since,
            coalesce(lead(min(c.date)) OVER account, backfill_chunks.until) AS until,
            sum(c.events)::bigint AS events,
            count(*) OVER (PARTITION BY c.account_id) = 1 AS is_only
        FROM numbered c
        GROUP BY
            c.account_id,
            c.number
        WINDOW account AS (PARTITION BY c.account_id ORDER BY c.number)
    ),
    open AS (
        SELECT
            s.account_id,
            s.since,
            s.until,
            s.events,
            s.is_only,
            a.timezone = a.wanted AND v.covered_but_for_gaps @> daterange(s.since, s.until) AS has_gaps,
            rollup.knows_timezone(a.wanted) AS is_known
        FROM spans s
        JOIN rollup.accounts a ON a.account_id = s.account_id
        JOIN rollup.coverage v ON v.account_id = s.account_id
        WHERE a.timezone IS DISTINCT FROM a.wanted
        OR NOT v.covered @> daterange(s.since, s.until)
    ),
    -- Neighbours by slot go together, so that chunks at work side by side rarely wait for each other.
    small AS (
        SELECT
            o.account_id,
            o.events,
            o.has_gaps,
            (
                sum(greatest(o.events, 20)) OVER (
                    PARTITION BY o.has_gaps
                    ORDER BY
                        o.account_id & 255,
                        o.account_id
                ) / greatest(coalesce(backfill_chunks.chunk_events, 20000), 1)
            )::bigint AS number
        FROM open o
        WHERE o.is_only
        AND o.is_known
    ),
    chunks AS (
        SELECT
            array_agg(s.account_id ORDER BY s.account_id) AS account_ids,
            backfill_chunks.since,
            backfill_chunks.until,
            sum(s.events)::bigint AS events,
            true AS is_known
        FROM small s
        GROUP BY
            s.has_gaps,
            s.number
        UNION ALL
        SELECT
            ARRAY [o.account_id],
            o.since,
            o.until,
            o.events,
            o.is_known
        FROM open o
        WHERE NOT (o.is_only AND o.is_known)
        UNION ALL
        -- What has been switched off is removed as a whole.
        SELECT
            ARRAY [a.account_id],
            NULL,
            NULL,
            0,
            rollup.knows_timezone(a.timezone)
        FROM rollup.accounts a
        WHERE a.wanted IS NULL
        AND a.timezone IS NOT NULL
        AND backfill_chunks.since IS NULL
        AND backfill_chunks.until IS NULL
        AND (backfill_chunks.account_id IS NULL OR a.account_id = backfill_chunks.account_id)
    )
    SELECT
        c.account_ids,
        c.since,
        c.until,
        c.events
    FROM chunks c
    ORDER BY
        NOT c.is_known,
        c.account_ids,
        c.since NULLS FIRST;
END
$function$;

COMMENT ON FUNCTION rollup.backfill_chunks(bigint, date, date, bigint) IS
    'The plan of a backfill: accounts, days since (inclusive) until (exclusive) and events of each chunk that is not covered yet.';
