CREATE OR REPLACE FUNCTION rollup.report_excluded(q rollup.report_request)
 RETURNS TABLE(dimension_id bigint, member bigint)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
#variable_conflict use_column
/*
 * What a report leaves out: whatever the excluded metric counts in the whole range.
 */
DECLARE
    dates date[] := rollup.report_days(q);
BEGIN
    RETURN QUERY
    SELECT
        n.dimension_id,
        n.member
    FROM rollup.current_members n
    WHERE n.occurrences > 0
    AND n.account_id = q.account_id
    AND n.dimension_type = q.dimension_type
    AND n.metric = q.excluded_metric
    AND n.date >= lower(q.days)
    AND n.date < upper(q.days)
    AND q.days @> n.date
    AND (dates IS NULL OR n.date = ANY (dates))
    AND (q.dimension_id IS NULL OR n.dimension_id = q.dimension_id)
    UNION
    SELECT
        e.dimension_id,
        e.member
    FROM rollup.report_events(q, q.excluded_event) e
    WHERE e.member IS NOT NULL;
END
$function$;

COMMENT ON FUNCTION rollup.report_excluded(rollup.report_request) IS
    'What a report leaves out, per dimension: what the excluded metric counts in the whole range.';
