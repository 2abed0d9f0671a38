CREATE OR REPLACE FUNCTION rollup.report_excluding(q rollup.report_request)
 RETURNS TABLE(dimension_id bigint, bucket timestamp with time zone, events bigint)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * A report that leaves events out: the totals, less the occurrences of members that are excluded on those
 * days, and the raw events of other members.
 */
DECLARE
    dates date[] := rollup.report_days(q);
BEGIN
    RETURN QUERY
    WITH excluded AS MATERIALIZED (
        SELECT
            x.dimension_id,
            x.member
        FROM rollup.report_excluded(q) x
    )
    SELECT
        b.dimension_id,
        b.bucket,
        sum(b.events)::bigint
    FROM (
        SELECT
            r.dimension_id,
            r.bucket,
            r.events
        FROM rollup.report_totals(q) r
        UNION ALL
        SELECT
            n.dimension_id,
            CASE q.unit
                WHEN 'range' THEN q.since
                ELSE (
                    date_trunc(q.unit, n.date::timestamp + q.week_shift)
                    - q.week_shift
                ) AT TIME ZONE q.timezone
            END,
            - n.occurrences
        FROM rollup.current_members n
        JOIN excluded x ON x.dimension_id = n.dimension_id AND x.member = n.member
        WHERE n.account_id = q.account_id
        AND n.dimension_type = q.dimension_type
        AND n.metric = q.metric
        AND n.date >= lower(q.days)
        AND n.date < upper(q.days)
        AND q.days @> n.date
        AND (dates IS NULL OR n.date = ANY (dates))
        AND (q.dimension_id IS NULL OR n.dimension_id = q.dimension_id)
        UNION ALL
        SELECT
            e.dimension_id,
            e.bucket,
            1
        FROM rollup.report_events(q, q.event) e
        WHERE NOT EXISTS (
            SELECT
            FROM excluded x
            WHERE x.dimension_id = e.dimension_id
            AND x.member = e.member
        )
    ) b
    GROUP BY b.dimension_id, b.bucket;
END
$function$;

COMMENT ON FUNCTION rollup.report_excluding(rollup.report_request) IS
    'A report that leaves out the events of what another metric counts, per dimension and bucket.';
