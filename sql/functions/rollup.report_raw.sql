CREATE OR REPLACE FUNCTION rollup.report_raw(q rollup.report_request)
 RETURNS TABLE(dimension_id bigint, bucket timestamp with time zone, events bigint, measured bigint, total double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * What raw events say in the moments that a report does not read from rollups, like rollup.report_totals().
 */
BEGIN
    RETURN QUERY
    SELECT
        e.dimension_id,
        e.bucket,
        count(*),
        count(e.value),
        coalesce(sum(e.value), 0)
    FROM rollup.report_events(q, q.event) e
    GROUP BY e.dimension_id, e.bucket;
END
$function$;

COMMENT ON FUNCTION rollup.report_raw(rollup.report_request) IS
    'What raw events say in the moments that a report does not read from rollups, per dimension and bucket.';
