CREATE OR REPLACE FUNCTION rollup.report_rows(q rollup.report_request)
 RETURNS TABLE(dimension_id bigint, bucket timestamp with time zone, events bigint, measured bigint, total double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * What a report is made of, for each dimension and bucket with any: how many events, how many of them
 * have a number, and the sum of those. Averages divide the sums, and so can be added up to others.
 *
 * Whole days come from rollups, recorded and pending; the other moments of the range from raw events,
 * which are not even planned for where there are no such moments. All of it is one snapshot, that of the
 * query which asks.
 */
BEGIN
    IF q.is_distinct THEN
        RETURN QUERY
        SELECT r.dimension_id, r.bucket, r.events, 0::bigint, 0::double precision
        FROM rollup.report_distinct(q) r;
        RETURN;
    END IF;

    IF q.excluded_metric IS NOT NULL THEN
        RETURN QUERY
        SELECT r.dimension_id, r.bucket, r.events, 0::bigint, 0::double precision
        FROM rollup.report_excluding(q) r;
        RETURN;
    END IF;

    IF isempty(q.moments) THEN
        RETURN QUERY
        SELECT r.dimension_id, r.bucket, r.events, r.measured, r.total
        FROM rollup.report_totals(q) r;
        RETURN;
    END IF;

    RETURN QUERY
    SELECT
        r.dimension_id,
        r.bucket,
        sum(r.events)::bigint,
        sum(r.measured)::bigint,
        sum(r.total)
    FROM (
        SELECT t.dimension_id, t.bucket, t.events, t.measured, t.total
        FROM rollup.report_totals(q) t
        UNION ALL
        SELECT w.dimension_id, w.bucket, w.events, w.measured, w.total
        FROM rollup.report_raw(q) w
    ) r
    GROUP BY r.dimension_id, r.bucket;
END
$function$;

COMMENT ON FUNCTION rollup.report_rows(rollup.report_request) IS
    'What a report is made of: per dimension and bucket the number of events, of those with a number, and the sum of the numbers.';
