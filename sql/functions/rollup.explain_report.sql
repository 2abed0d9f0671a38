CREATE OR REPLACE FUNCTION rollup.explain_report(account_id bigint, metric text, dimension_type text, dimension_id bigint, since timestamp with time zone, until timestamp with time zone, group_by text DEFAULT 'day'::text, business_hours boolean DEFAULT false, timezone text DEFAULT NULL::text, week_start text DEFAULT 'sunday'::text)
 RETURNS TABLE(begins timestamp with time zone, ends timestamp with time zone, source text, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * Where rollup.timeseries() takes its numbers from, called alike; for rollup.aggregate() and
 * rollup.summary() give group_by 'range'. A row for each part of the range, in order: 'rollups' or
 * 'raw events', and why.
 */
DECLARE
    q rollup.report_request;
    whole datemultirange;
BEGIN
    PERFORM rollup.require_tables();

    q := rollup.resolve_report(
        explain_report.account_id,
        explain_report.metric,
        explain_report.dimension_type,
        explain_report.dimension_id,
        explain_report.since,
        explain_report.until,
        explain_report.group_by,
        explain_report.business_hours,
        explain_report.timezone,
        explain_report.week_start
    );
    whole := datemultirange(rollup.whole_days(q.since, q.until, q.timezone));

    RETURN QUERY
    SELECT
        b.begins,
        b.ends,
        p.source,
        p.reason
    FROM (
        SELECT
            unnest(q.days) AS days,
            'rollups' AS source,
            coalesce('purged, though ' || q.raw_because, 'whole days that are covered') AS reason
        UNION ALL
        SELECT
            unnest(whole - q.days),
            'raw events',
            coalesce(q.raw_because, 'days that are not covered')
        UNION ALL
        SELECT
            unnest('{(,)}'::datemultirange - whole),
            'raw events',
            coalesce(q.raw_because, 'part of a day')
    ) p
    CROSS JOIN LATERAL (
        SELECT
            greatest(q.since, lower(p.days)::timestamp AT TIME ZONE q.timezone) AS begins,
            least(q.until, upper(p.days)::timestamp AT TIME ZONE q.timezone) AS ends
    ) b
    WHERE b.begins < b.ends
    ORDER BY b.begins;
END
$function$;

COMMENT ON FUNCTION rollup.explain_report(
    bigint, text, text, bigint, timestamptz, timestamptz, text, boolean, text, text
) IS
    'Which parts of the range of a report come from rollups, which from raw events, and why.';
