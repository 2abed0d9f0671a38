CREATE OR REPLACE FUNCTION rollup.drift(account_id bigint DEFAULT NULL::bigint, since date DEFAULT NULL::date, until date DEFAULT NULL::date)
 RETURNS SETOF rollup.difference
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * Truth minus record: what a query over the raw events says, less what is recorded and pending, for
 * every rollup key on which they differ. Empty when all is well.
 *
 * One statement, hence one snapshot, in which an event and what it added to the rollups are both
 * visible or both not. So no lock is needed, and writers in flight are no drift.
 *
 * Reads the events of the account and of the days since (inclusive) until (exclusive); NULL stands
 * for all accounts, and for no bound. Days before a backfill reached them differ, of course:
 * rollup.metric_coverage tells which are claimed to be exact. Sealed days, whose events have been
 * purged, are left out, as is what is retired.
 */
<<drift>>
DECLARE
    account_ids bigint[] := CASE WHEN drift.account_id IS NOT NULL THEN ARRAY [drift.account_id] END;
BEGIN
    PERFORM rollup.require_days(drift.since, drift.until);
    PERFORM rollup.require_tables();

    IF drift.account_id IS NOT NULL THEN
        PERFORM rollup.require_known(drift.account_id);
    END IF;

    PERFORM rollup.require_timezones(account_ids);

    RETURN QUERY
    WITH truth_members AS MATERIALIZED (
        SELECT *
        FROM rollup.truth_members(
            drift.account_ids, drift.since, drift.until, NULL, NULL, NULL, false
        ) t
    ),
    truth AS NOT MATERIALIZED (
        SELECT *
        FROM rollup.truth_totals(
            drift.account_ids, drift.since, drift.until, NULL, NULL, NULL, false
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
    record AS (
        SELECT
            r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric,
            sum(r.count)::bigint AS count,
            sum(r.value_count)::bigint AS value_count,
            sum(r.sum_value) AS sum_value,
            sum(r.business_hours_count)::bigint AS business_hours_count,
            sum(r.sum_value_business_hours) AS sum_value_business_hours
        FROM rollup.unsummed_totals r
        WHERE (drift.account_ids IS NULL OR r.account_id = ANY (drift.account_ids))
        AND (drift.since IS NULL OR r.date >= drift.since)
        AND (drift.until IS NULL OR r.date < drift.until)
        AND NOT EXISTS (
            SELECT
            FROM rollup.accounts a
            WHERE a.account_id = r.account_id
            AND a.sealed @> r.date
        )
        AND r.metric NOT IN (SELECT x.metric FROM rollup.retired x WHERE x.metric IS NOT NULL)
        AND r.dimension_type NOT IN (
            SELECT x.dimension_type FROM rollup.retired x WHERE x.dimension_type IS NOT NULL
        )
        GROUP BY r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric
    ),
    wrong_totals AS (
        SELECT
            account_id, date, dimension_type, dimension_id, metric,
            coalesce(t.count, 0) - coalesce(r.count, 0) AS count,
            coalesce(t.value_count, 0) - coalesce(r.value_count, 0)
                AS value_count,
            coalesce(t.sum_value, 0) - coalesce(r.sum_value, 0)
                AS sum_value,
            coalesce(t.business_hours_count, 0) - coalesce(r.business_hours_count, 0)
                AS business_hours_count,
            coalesce(t.sum_value_business_hours, 0) - coalesce(r.sum_value_business_hours, 0)
                AS sum_value_business_hours
        FROM truth t
        FULL JOIN record r USING (account_id, date, dimension_type, dimension_id, metric)
        WHERE coalesce(t.count, 0) <> coalesce(r.count, 0)
        OR coalesce(t.value_count, 0) <> coalesce(r.value_count, 0)
        OR NOT abs(coalesce(t.sum_value, 0) - coalesce(r.sum_value, 0))
            <= 1e-9 * greatest(1000, abs(t.sum_value))
        OR coalesce(t.business_hours_count, 0) <> coalesce(r.business_hours_count, 0)
        OR NOT abs(coalesce(t.sum_value_business_hours, 0) - coalesce(r.sum_value_business_hours, 0))
            <= 1e-9 * greatest(1000, abs(t.sum_value_business_hours))
    ),
    record_members AS (
        SELECT
            n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member,
            sum(n.occurrences) AS occurrences
        FROM rollup.unsummed_members n
        WHERE (drift.account_ids IS NULL OR n.account_id = ANY (drift.account_ids))
        AND (drift.since IS NULL OR n.date >= drift.since)
        AND (drift.until IS NULL OR n.date < drift.until)
        AND NOT EXISTS (
            SELECT
            FROM rollup.accounts a
            WHERE a.account_id = n.account_id
            AND a.sealed @> n.date
        )
        AND n.metric NOT IN (SELECT x.metric FROM rollup.retired x WHERE x.metric IS NOT NULL)
        AND n.dimension_type NOT IN (
            SELECT x.dimension_type FROM rollup.retired x WHERE x.dimension_type IS NOT NULL
        )
        GROUP BY n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member
        HAVING sum(n.occurrences) <> 0
    ),
    wrong_members AS (
        SELECT account_id, date, dimension_type, dimension_id, metric, count(*) AS members
        FROM truth_members t
        FULL JOIN record_members n
            USING (account_id, date, dimension_type, dimension_id, metric, member)
        WHERE coalesce(t.occurrences, 0) <> coalesce(n.occurrences, 0)
        GROUP BY account_id, date, dimension_type, dimension_id, metric
    )
    SELECT
        account_id::bigint,
        date,
        dimension_type::text,
        dimension_id,
        metric::text,
        coalesce(w.count, 0)::bigint,
        coalesce(w.value_count, 0)::bigint,
        coalesce(w.sum_value, 0),
        coalesce(w.business_hours_count, 0)::bigint,
        coalesce(w.sum_value_business_hours, 0),
        coalesce(n.members, 0)
    FROM wrong_totals w
    FULL JOIN wrong_members n USING (account_id, date, dimension_type, dimension_id, metric)
    ORDER BY account_id, date, dimension_type, dimension_id, metric;
END
$function$;

COMMENT ON FUNCTION rollup.drift(bigint, date, date) IS
    'Truth minus rollups, per rollup key on which they differ, for an account (NULL: all) on the days since (inclusive) until (exclusive); empty when all is well.';
