CREATE OR REPLACE FUNCTION rollup.summary(account_id bigint, dimension_type text, since timestamp with time zone, until timestamp with time zone, business_hours boolean DEFAULT false)
 RETURNS TABLE(dimension_id bigint, resolved_conversations_count bigint, avg_resolution_time double precision, avg_first_response_time double precision, avg_reply_time double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET row_security TO 'off'
AS $function$
#variable_conflict use_column
/*
 * The key figures of every id of a dimension that has events of the account between since
 * (inclusive) and until (exclusive), one a row, in the order of the ids. An average is NULL where
 * there is nothing to average. Exact whatever is covered, like rollup.timeseries().
 */
BEGIN
    PERFORM rollup.require_tables();

    RETURN QUERY
    SELECT
        r.dimension_id,
        coalesce(sum(r.events) FILTER (WHERE m.metric = 'resolutions_count'), 0)::bigint,
        sum(r.total) FILTER (WHERE m.metric = 'avg_resolution_time')
            / nullif(sum(r.measured) FILTER (WHERE m.metric = 'avg_resolution_time'), 0)
            ::double precision,
        sum(r.total) FILTER (WHERE m.metric = 'avg_first_response_time')
            / nullif(sum(r.measured) FILTER (WHERE m.metric = 'avg_first_response_time'), 0)
            ::double precision,
        sum(r.total) FILTER (WHERE m.metric = 'reply_time')
            / nullif(sum(r.measured) FILTER (WHERE m.metric = 'reply_time'), 0)
            ::double precision
    FROM (VALUES
        ('resolutions_count'),
        ('avg_resolution_time'),
        ('avg_first_response_time'),
        ('reply_time')
    ) m (metric)
    CROSS JOIN LATERAL rollup.report_rows(rollup.resolve_report(
        summary.account_id,
        m.metric,
        summary.dimension_type,
        NULL,
        summary.since,
        summary.until,
        'range',
        summary.business_hours,
        NULL,
        'sunday'
    )) r
    GROUP BY r.dimension_id
    ORDER BY r.dimension_id;
END
$function$;

COMMENT ON FUNCTION rollup.summary(bigint, text, timestamptz, timestamptz, boolean) IS
    'The key figures of every id of a dimension between since (inclusive) and until (exclusive).';
