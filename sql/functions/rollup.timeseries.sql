CREATE OR REPLACE FUNCTION rollup.timeseries(account_id bigint, metric text, dimension_type text, dimension_id bigint, since timestamp with time zone, until timestamp with time zone, group_by text DEFAULT 'day'::text, business_hours boolean DEFAULT false, timezone text DEFAULT NULL::text, week_start text DEFAULT 'sunday'::text)
 RETURNS TABLE(bucket_start timestamp with time zone, value double precision, count bigint)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * A report by hour, day, week, month, quarter or year of a time zone, the account's by default: a row
 * for each that has a part between since (inclusive) and until (exclusive), in order. By 'range' it
 * is one row, which starts at since.
 *
 * The value is a number of events, or of what a distinct metric counts, each once a bucket; or an
 * average, in the unit of the events. The count is the number of events. Without events both are 0;
 * an average is NULL where none of its events has a number.
 *
 * Exact whatever is covered: days that are not come from raw events; see rollup.explain_report().
 */
DECLARE
    q rollup.report_request;
BEGIN
    PERFORM rollup.require_tables();

    q := rollup.resolve_report(
        timeseries.account_id,
        timeseries.metric,
        timeseries.dimension_type,
        rollup.report_dimension(timeseries.account_id, timeseries.dimension_type, timeseries.dimension_id),
        timeseries.since,
        timeseries.until,
        timeseries.group_by,
        timeseries.business_hours,
        timeseries.timezone,
        timeseries.week_start
    );

    RETURN QUERY
    SELECT
        bucket,
        CASE
            WHEN NOT q.is_average THEN coalesce(r.events, 0)
            WHEN r.events IS NULL THEN 0
            ELSE r.total / nullif(r.measured, 0)
        END::double precision,
        coalesce(r.events, 0)
    FROM rollup.report_buckets(q) b (bucket)
    FULL JOIN rollup.report_rows(q) r USING (bucket)
    ORDER BY bucket;
END
$function$;

COMMENT ON FUNCTION rollup.timeseries(
    bigint, text, text, bigint, timestamptz, timestamptz, text, boolean, text, text
) IS
    'A report of an account between since (inclusive) and until (exclusive), by hour, day, week, month, quarter or year: the start of each, its value, and its number of events.';
