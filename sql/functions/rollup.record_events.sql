CREATE OR REPLACE FUNCTION rollup.record_events(events rollup.event[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Adds events to totals and members, sorted by their keys like every write there. The caller holds the
 * slots of their accounts. Events of an account without a time zone count for nothing.
 *
 * A member is present while its occurrences are positive; where that changes, the count of its total
 * moves by one. What occurrences were is read from the table, which all parts of a statement see as it was
 * before; the slot keeps other sessions from changing it.
 */
BEGIN
    INSERT INTO public.reporting_events_rollups AS r (
        account_id, date, dimension_type, dimension_id, metric,
        count, value_count, sum_value, business_hours_count, sum_value_business_hours
    )
    SELECT
        t.account_id, t.date, t.dimension_type, t.dimension_id, t.metric,
        t.count, t.value_count, t.sum_value, t.business_hours_count, t.sum_value_business_hours
    FROM rollup.totals_of(record_events.events) t
    WHERE t.count <> 0
    OR t.value_count <> 0
    OR t.sum_value <> 0
    OR t.business_hours_count <> 0
    OR t.sum_value_business_hours <> 0
    ORDER BY t.account_id, t.dimension_type, t.metric, t.date, t.dimension_id
    ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
    SET
        count = r.count + excluded.count,
        value_count = r.value_count + excluded.value_count,
        sum_value = r.sum_value + excluded.sum_value,
        business_hours_count = r.business_hours_count + excluded.business_hours_count,
        sum_value_business_hours = r.sum_value_business_hours + excluded.sum_value_business_hours,
        updated_at = excluded.updated_at;

    IF EXISTS (
        SELECT
        FROM unnest(record_events.events) e
        WHERE e.event IN ('conversation_bot_handoff', 'conversation_bot_resolved')
    ) THEN
        WITH deltas AS MATERIALIZED (
            SELECT t.account_id, t.date, t.dimension_type, t.dimension_id, t.metric, t.member, t.occurrences
            FROM rollup.members_of(record_events.events) t
        ),
        recorded AS (
            INSERT INTO rollup.distinct_members AS n (
                account_id, date, dimension_type, dimension_id, metric, member, occurrences
            )
            SELECT t.account_id, t.date, t.dimension_type, t.dimension_id, t.metric, t.member, t.occurrences
            FROM deltas t
            ORDER BY t.account_id, t.dimension_type, t.metric, t.date, t.dimension_id, t.member
            ON CONFLICT (account_id, date, dimension_type, dimension_id, metric, member) DO UPDATE
            SET occurrences = n.occurrences + excluded.occurrences
        )
        INSERT INTO public.reporting_events_rollups AS r (
            account_id, date, dimension_type, dimension_id, metric, count
        )
        SELECT
            t.account_id, t.date, t.dimension_type, t.dimension_id, t.metric,
            sum(
                (coalesce(n.occurrences, 0) + t.occurrences > 0)::integer
                    - (coalesce(n.occurrences, 0) > 0)::integer
            ) AS count
        FROM deltas t
        LEFT JOIN rollup.distinct_members n
            USING (account_id, date, dimension_type, dimension_id, metric, member)
        WHERE t.metric IN ('bot_handoffs_count')
        GROUP BY t.account_id, t.dimension_type, t.metric, t.date, t.dimension_id
        HAVING sum(
            (coalesce(n.occurrences, 0) + t.occurrences > 0)::integer
                    - (coalesce(n.occurrences, 0) > 0)::integer
        ) <> 0
        ORDER BY t.account_id, t.dimension_type, t.metric, t.date, t.dimension_id
        ON CONFLICT (account_id, date, dimension_type, dimension_id, metric) DO UPDATE
        SET
            count = r.count + excluded.count,
            updated_at = excluded.updated_at;
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.record_events(rollup.event[]) IS
    'Adds events to totals and members; the caller holds the slots of their accounts.';

REVOKE EXECUTE ON FUNCTION rollup.record_events(rollup.event[]) FROM PUBLIC;
