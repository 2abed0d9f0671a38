CREATE OR REPLACE FUNCTION rollup.current_partitions()
 RETURNS TABLE(schema_name text, table_name text, relation oid, source oid, since timestamp with time zone, until timestamp with time zone, holds_events boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
/*
 * The partitions of the events table at every depth, each with the moments that it has room for: since
 * (inclusive) until (exclusive). A partition of a partition has no room for other moments than that one.
 *
 * NULL is no bound. Only a partition BY RANGE of the time column alone has bounds here; a table that
 * inherits has none.
 */
WITH RECURSIVE family AS (
    SELECT
        to_regclass('public.reporting_events')::oid AS relation,
        NULL::timestamptz AS since,
        NULL::timestamptz AS until
    UNION
    SELECT
        i.inhrelid,
        greatest(f.since, b.since),
        least(f.until, b.until)
    FROM family f
    JOIN pg_inherits i ON i.inhparent = f.relation
    JOIN pg_class c ON c.oid = i.inhrelid
    LEFT JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
        AND p.partstrat = 'r'
        AND p.partnatts = 1
    LEFT JOIN pg_attribute a ON a.attrelid = i.inhparent
        AND a.attnum = p.partattrs [0]
        AND a.attname = 'created_at'
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.attnum IS NOT NULL THEN pg_get_expr(c.relpartbound, c.oid) END AS bounds
    ) t
    CROSS JOIN LATERAL (
        SELECT
            substring(t.bounds FROM 'FROM [(]''([^'']+)''[)]')::timestamptz AS since,
            substring(t.bounds FROM 'TO [(]''([^'']+)''[)]')::timestamptz AS until
    ) b
    WHERE NOT i.inhdetachpending
)
SELECT
    n.nspname::text,
    c.relname::text,
    c.oid,
    to_regclass('public.reporting_events')::oid,
    CASE WHEN count(*) = 1 THEN min(f.since) END,
    CASE WHEN count(*) = 1 THEN max(f.until) END,
    c.relkind = 'r'
FROM family f
JOIN pg_class c ON c.oid = f.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid <> to_regclass('public.reporting_events')
GROUP BY
    n.nspname,
    c.oid,
    c.relname,
    c.relkind
$function$;

COMMENT ON FUNCTION rollup.current_partitions() IS
    'The partitions of the events table at every depth, each with the moments since (inclusive) until (exclusive) that it has room for; NULL: no bound, or none that is known.';
