CREATE OR REPLACE FUNCTION rollup.rebuild_accounts(account_ids bigint[], since date, until date, metrics text[], dimension_types text[])
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * Makes the record true for accounts (NULL: all) on the days since (inclusive) until (exclusive;
 * NULL: no bound), marks those days as covered, and returns how many rows it had to change, rollups
 * and memberships together. The caller holds the slots of the accounts, so that writers append.
 *
 * One statement, hence one snapshot, deletes the pending events that it sees and sets each row that
 * differs from the raw events to what they say. Rows that are right are not touched, so running it
 * again costs a read.
 *
 * With metrics or dimension_types it is about those alone. Pending events are of others, too, so
 * they stay, and the record is set to what together with them is true. Days that are covered but
 * for these are covered then, see rollup.gaps; no others.
 *
 * Sealed days, whose events have been purged, are left alone, and so is what is retired.
 */
<<rebuild_accounts>>
DECLARE
    changed bigint;
    rebuilt bigint[];
    timezones text[];
    is_whole boolean := rebuild_accounts.metrics IS NULL AND rebuild_accounts.dimension_types IS NULL;
    event_names text[] := CASE WHEN rebuild_accounts.metrics IS NOT NULL THEN ARRAY (
        SELECT m.event FROM rollup.metrics m WHERE m.metric = ANY (rebuild_accounts.metrics)
    ) END;
    -- Where nothing is recorded, as before a first backfill, nothing has to be compared.
    is_new boolean := NOT rollup.has_totals(account_ids, since, until);
BEGIN
    PERFORM rollup.require_timezones(rebuild_accounts.account_ids);

    WITH consumed AS (
        DELETE FROM rollup.pending_events p
        WHERE rebuild_accounts.is_whole
        AND (rebuild_accounts.account_ids IS NULL OR p.account_id = ANY (rebuild_accounts.account_ids))
        AND NOT EXISTS (
            SELECT
            FROM rollup.accounts a
            CROSS JOIN LATERAL (
                SELECT (p.at AT TIME ZONE a.timezone)::date AS date
            ) z
            WHERE a.account_id = p.account_id
            AND a.timezone IS NOT NULL
            AND (z.date < rebuild_accounts.since OR z.date >= rebuild_accounts.until OR a.sealed @> z.date)
        )
    ),
    truth_members AS MATERIALIZED (
        SELECT *
        FROM rollup.truth_members(
            rebuild_accounts.account_ids, rebuild_accounts.since, rebuild_accounts.until,
            rebuild_accounts.metrics, rebuild_accounts.dimension_types, rebuild_accounts.event_names,
            NOT rebuild_accounts.is_whole
        ) t
    ),
    truth AS NOT MATERIALIZED (
        SELECT *
        FROM rollup.truth_totals(
            rebuild_accounts.account_ids, rebuild_accounts.since, rebuild_accounts.until,
            rebuild_accounts.metrics, rebuild_accounts.dimension_types, rebuild_accounts.event_names,
            NOT rebuild_accounts.is_whole
        ) t
        UNION ALL
        SELECT
            n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric,
            count(*) AS count,
            0 AS value_count, 0 AS sum_value, 0 AS business_hours_count,
            0 AS sum_value_business_hours
        FROM truth_members n
        WHERE n.occurrences > 0
        AND n.metric IN ('bot_handoffs_count')
        GROUP BY n.account_id, n.dimension_type, n.metric, n.date, n.dimension_id
    ),
    wrong AS MATERIALIZED (
        SELECT
            account_id, date, dimension_type, dimension_id, metric,
            t.count IS NOT NULL AS is_true,
            r.count IS NOT NULL AS is_recorded,
            t.count, t.value_count, t.sum_value, t.business_hours_count, t.sum_value_business_hours
        FROM truth t
        FULL JOIN rollup.recorded_totals(
            rebuild_accounts.account_ids, rebuild_accounts.since, rebuild_accounts.until,
            rebuild_accounts.metrics, rebuild_accounts.dimension_types
        ) r USING (account_id, date, dimension_type, dimension_id, metric)
        WHERE NOT rebuild_accounts.is_new
        AND (
            t.count IS NULL
            OR r.count IS NULL
            OR coalesce(t.count, 0) <> coalesce(r.count, 0)
            OR coalesce(t.value_count, 0) <> coalesce(r.value_count, 0)
            OR NOT abs(coalesce(t.sum_value, 0) - coalesce(r.sum_value, 0))
                <= 1e-9 * greatest(1000, abs(t.sum_value))
            OR coalesce(t.business_hours_count, 0) <> coalesce(r.business_hours_count, 0)
            OR NOT abs(coalesce(t.sum_value_business_hours, 0) - coalesce(r.sum_value_business_hours, 0))
                <= 1e-9 * greatest(1000, abs(t.sum_value_business_hours))
        )
        UNION ALL
        SELECT
            t.account_id, t.date, t.dimension_type, t.dimension_id, t.metric,
            true, false,
            t.count, t.value_count, t.sum_value, t.business_hours_count, t.sum_value_business_hours
        FROM truth t
        WHERE rebuild_accounts.is_new
    ),
    removed AS (
        DELETE FROM public.reporting_events_rollups r
        USING wrong w
        WHERE NOT w.is_true
        AND (r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric)
            = (w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric)
    ),
    updated AS (
        INSERT INTO public.reporting_events_rollups AS r (
            account_id, date, dimension_type, dimension_id, metric,
            count, value_count, sum_value, business_hours_count, sum_value_business_hours
        )
        SELECT
            w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric,
            w.count, w.value_count, w.sum_value, w.business_hours_count, w.sum_value_business_hours
        FROM wrong w
        WHERE w.is_true
        AND w.is_recorded
        ORDER BY w.account_id, w.dimension_type, w.metric, w.date, w.dimension_id
        ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
        SET
            count = excluded.count,
            value_count = excluded.value_count,
            sum_value = excluded.sum_value,
            business_hours_count = excluded.business_hours_count,
            sum_value_business_hours = excluded.sum_value_business_hours,
            updated_at = excluded.updated_at
    ),
    inserted AS (
        INSERT INTO public.reporting_events_rollups (
            account_id, date, dimension_type, dimension_id, metric,
            count, value_count, sum_value, business_hours_count, sum_value_business_hours
        )
        SELECT
            w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric,
            w.count, w.value_count, w.sum_value, w.business_hours_count, w.sum_value_business_hours
        FROM wrong w
        WHERE NOT w.is_recorded
        ORDER BY w.account_id, w.dimension_type, w.metric, w.date, w.dimension_id
    ),
    wrong_members AS MATERIALIZED (
        SELECT
            account_id, date, dimension_type, dimension_id, metric, member, t.occurrences
        FROM truth_members t
        FULL JOIN rollup.recorded_members(
            rebuild_accounts.account_ids, rebuild_accounts.since, rebuild_accounts.until,
            rebuild_accounts.metrics, rebuild_accounts.dimension_types
        ) n USING (account_id, date, dimension_type, dimension_id, metric, member)
        WHERE t.occurrences IS DISTINCT FROM n.occurrences
    ),
    members_removed AS (
        DELETE FROM rollup.distinct_members n
        USING wrong_members w
        WHERE w.occurrences IS NULL
        AND (n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member)
            = (w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric, w.member)
    ),
    members_written AS (
        INSERT INTO rollup.distinct_members AS n (
            account_id, date, dimension_type, dimension_id, metric, member, occurrences
        )
        SELECT
            w.account_id, w.date, w.dimension_type, w.dimension_id, w.metric, w.member, w.occurrences
        FROM wrong_members w
        WHERE w.occurrences IS NOT NULL
        ORDER BY w.account_id, w.dimension_type, w.metric, w.date, w.dimension_id, w.member
        ON CONFLICT (account_id, date, dimension_type, dimension_id, metric, member) DO UPDATE
        SET occurrences = excluded.occurrences
    )
    SELECT
        (SELECT count(*) FROM wrong) + (SELECT count(*) FROM wrong_members),
        array_agg(a.account_id ORDER BY a.account_id),
        array_agg(a.timezone ORDER BY a.account_id)
    INTO changed, rebuilt, timezones
    FROM rollup.accounts a
    WHERE a.timezone = a.wanted
    AND (rebuild_accounts.account_ids IS NULL OR a.account_id = ANY (rebuild_accounts.account_ids));

    PERFORM rollup.note_rebuilt(
        rebuild_accounts.account_ids, rebuilt, timezones, rebuild_accounts.since,
        rebuild_accounts.until, rebuild_accounts.metrics, rebuild_accounts.dimension_types
    );

    RETURN changed;
END
$function$;

COMMENT ON FUNCTION rollup.rebuild_accounts(bigint[], date, date, text[], text[]) IS
    'Makes the rollups of accounts (NULL: all) whose slots the caller holds true on the days since (inclusive) until (exclusive), of all metrics and dimensions or of some; returns how many rows it had to change.';

REVOKE EXECUTE ON FUNCTION rollup.rebuild_accounts(bigint[], date, date, text[], text[]) FROM PUBLIC;
