CREATE OR REPLACE FUNCTION rollup.report_totals(q rollup.report_request)
 RETURNS TABLE(dimension_id bigint, bucket timestamp with time zone, events bigint, measured bigint, total double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * What totals say on the days that a report reads from rollups, for each dimension and bucket: how many
 * events, how many of them have a number, and the sum of those.
 */
DECLARE
    dates date[] := rollup.report_days(q);
BEGIN
    RETURN QUERY
    SELECT
        b.dimension_id,
        b.bucket,
        sum(b.events)::bigint,
        sum(b.measured)::bigint,
        sum(b.total)
    FROM (
        SELECT
            r.dimension_id,
            CASE q.unit
                WHEN 'range' THEN q.since
                ELSE (
                    date_trunc(q.unit, r.date::timestamp + q.week_shift)
                    - q.week_shift
                ) AT TIME ZONE q.timezone
            END AS bucket,
            r.count AS events,
            CASE
                WHEN q.business_hours THEN r.business_hours_count
                ELSE r.value_count
            END AS measured,
            CASE
                WHEN q.business_hours THEN r.sum_value_business_hours
                ELSE r.sum_value
            END AS total
        FROM rollup.unsummed_totals r
        WHERE r.account_id = q.account_id
        AND r.dimension_type = q.dimension_type
        AND r.metric = q.metric
        AND r.date >= lower(q.days)
        AND r.date < upper(q.days)
        AND q.days @> r.date
        AND (dates IS NULL OR r.date = ANY (dates))
        AND (q.dimension_id IS NULL OR r.dimension_id = q.dimension_id)
    ) b
    GROUP BY b.dimension_id, b.bucket
    HAVING sum(b.events) <> 0;
END
$function$;

COMMENT ON FUNCTION rollup.report_totals(rollup.report_request) IS
    'What totals say on the days that a report reads from rollups, per dimension and bucket.';
