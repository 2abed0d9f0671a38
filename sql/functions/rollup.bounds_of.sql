CREATE OR REPLACE FUNCTION rollup.bounds_of(relation oid)
 RETURNS TABLE(since timestamp with time zone, until timestamp with time zone)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET "DateStyle" TO 'ISO'
AS $function$
/*
 * The moments since (inclusive) until (exclusive) that a partition of the events table, at any depth,
 * has room for; always one row. NULL is no bound, or none that is known, as of the events table itself.
 * Looks up names in the catalog, because a reader of some views only may not use the schemas.
 */
WITH RECURSIVE family AS (
    SELECT
        bounds_of.relation AS relation,
        NULL::timestamptz AS since,
        NULL::timestamptz AS until
    UNION
    SELECT
        i.inhparent,
        greatest(f.since, b.since),
        least(f.until, b.until)
    FROM family f
    JOIN pg_inherits i ON i.inhrelid = f.relation
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
    CASE WHEN count(*) = 1 THEN min(f.since) END,
    CASE WHEN count(*) = 1 THEN max(f.until) END
FROM family f
WHERE f.relation = (
    SELECT c.oid
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public'
    AND c.relname = 'reporting_events'
)
$function$;

COMMENT ON FUNCTION rollup.bounds_of(oid) IS
    'The moments since (inclusive) until (exclusive) that a partition of the events table has room for; NULL: no bound, or none that is known.';
