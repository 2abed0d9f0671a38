CREATE OR REPLACE FUNCTION rollup.aggregate(account_id bigint, metric text, dimension_type text, dimension_id bigint, since timestamp with time zone, until timestamp with time zone, business_hours boolean DEFAULT false)
 RETURNS double precision
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * A report as one number for all between since (inclusive) and until (exclusive): a number of events,
 * or of what a distinct metric counts, each once; or an average, NULL where there is nothing to
 * average. Exact whatever is covered, like rollup.timeseries().
 */
DECLARE
    q rollup.report_request;
BEGIN
    PERFORM rollup.require_tables();

    q := rollup.resolve_report(
        aggregate.account_id,
        aggregate.metric,
        aggregate.dimension_type,
        rollup.report_dimension(aggregate.account_id, aggregate.dimension_type, aggregate.dimension_id),
        aggregate.since,
        aggregate.until,
        'range',
        aggregate.business_hours,
        NULL,
        'sunday'
    );

    RETURN (
        SELECT CASE
            WHEN q.is_average THEN sum(r.total) / nullif(sum(r.measured), 0)::double precision
            ELSE coalesce(sum(r.events), 0)::double precision
        END
        FROM rollup.report_rows(q) r
    );
END
$function$;

COMMENT ON FUNCTION rollup.aggregate(bigint, text, text, bigint, timestamptz, timestamptz, boolean) IS
    'A report of an account between since (inclusive) and until (exclusive) as one number; an average is NULL where there is nothing to average.';
