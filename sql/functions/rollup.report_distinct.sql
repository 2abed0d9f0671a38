CREATE OR REPLACE FUNCTION rollup.report_distinct(q rollup.report_request)
 RETURNS TABLE(dimension_id bigint, bucket timestamp with time zone, events bigint)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * How many different members a report counts, for each dimension and bucket. A member counts once a
 * bucket, so days are added up only where each is a bucket.
 */
DECLARE
    dates date[] := rollup.report_days(q);
BEGIN
    RETURN QUERY
    SELECT
        r.dimension_id,
        CASE q.unit
            WHEN 'range' THEN q.since
            ELSE (
                date_trunc(q.unit, r.date::timestamp + q.week_shift)
                - q.week_shift
            ) AT TIME ZONE q.timezone
        END,
        r.count
    FROM rollup.current_rollups r
    WHERE q.unit = 'day'
    AND r.account_id = q.account_id
    AND r.dimension_type = q.dimension_type
    AND r.metric = q.metric
    AND r.date >= lower(q.days)
    AND r.date < upper(q.days)
    AND q.days @> r.date
    AND (dates IS NULL OR r.date = ANY (dates))
    AND (q.dimension_id IS NULL OR r.dimension_id = q.dimension_id)
    UNION ALL
    SELECT
        n.dimension_id,
        n.bucket,
        count(*)
    FROM (
        SELECT
            n.dimension_id,
            CASE q.unit
                WHEN 'range' THEN q.since
                ELSE (
                    date_trunc(q.unit, n.date::timestamp + q.week_shift)
                    - q.week_shift
                ) AT TIME ZONE q.timezone
            END AS bucket,
            n.member
        FROM rollup.current_members n
        WHERE q.unit <> 'day'
        AND n.occurrences > 0
        AND n.account_id = q.account_id
        AND n.dimension_type = q.dimension_type
        AND n.metric = q.metric
        AND n.date >= lower(q.days)
        AND n.date < upper(q.days)
        AND q.days @> n.date
        AND (dates IS NULL OR n.date = ANY (dates))
        AND (q.dimension_id IS NULL OR n.dimension_id = q.dimension_id)
        UNION
        SELECT
            e.dimension_id,
            e.bucket,
            e.member
        FROM rollup.report_events(q, q.event) e
        WHERE e.member IS NOT NULL
    ) n
    GROUP BY n.dimension_id, n.bucket;
END
$function$;

COMMENT ON FUNCTION rollup.report_distinct(rollup.report_request) IS
    'How many different members a report counts, per dimension and bucket.';
