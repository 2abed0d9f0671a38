CREATE OR REPLACE FUNCTION rollup.report_buckets(q rollup.report_request)
 RETURNS SETOF timestamp with time zone
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * The starts of all buckets of a report, the first of which may lie before its range. A local time
 * that clocks leave out begins when they go on; a day that a zone leaves out is none.
 */
BEGIN
    IF q.since = q.until THEN
        RETURN;
    END IF;

    IF q.unit = 'range' THEN
        RETURN NEXT q.since;
        RETURN;
    END IF;

    IF q.unit = 'hour' THEN
        RETURN QUERY
        SELECT DISTINCT date_trunc('hour', h, q.timezone)
        FROM generate_series(
            date_trunc('hour', q.since, q.timezone),
            q.until - interval '1 microsecond',
            interval '15 minutes'
        ) h;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT DISTINCT b AT TIME ZONE q.timezone
    FROM generate_series(
        date_trunc(q.unit, q.since AT TIME ZONE q.timezone + q.week_shift) - q.week_shift,
        (q.until - interval '1 microsecond') AT TIME ZONE q.timezone,
        CASE q.unit WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || q.unit)::interval END
    ) b;
END
$function$;

COMMENT ON FUNCTION rollup.report_buckets(rollup.report_request) IS
    'The starts of all buckets of a report.';
