CREATE OR REPLACE FUNCTION rollup.table_problems()
 RETURNS TABLE(code text, problem text, cure text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET quote_all_identifiers TO 'off'
AS $function$
/*
 * Why the tables cannot be read as they are, each reason with its SQLSTATE and its cure; no rows when
 * all is well. A filtered read is never the truth, so row-level security that is active for the current
 * role is a reason. So is a table or a column that is gone, or a column whose type is not one that these
 * functions were rendered for: it could be read as something else.
 */
WITH tables AS (
    SELECT
        t.name,
        c.oid
    FROM (VALUES
        ('public.reporting_events', 'public', 'reporting_events'),
        ('public.accounts', 'public', 'accounts'),
        ('public.reporting_events_rollups', 'public', 'reporting_events_rollups'),
        ('rollup.accounts', 'rollup', 'accounts'),
        ('rollup.distinct_members', 'rollup', 'distinct_members'),
        ('rollup.gaps', 'rollup', 'gaps'),
        ('rollup.invalidations', 'rollup', 'invalidations'),
        ('rollup.pending_events', 'rollup', 'pending_events')
    ) t (name, schema, relation)
    LEFT JOIN pg_namespace n ON n.nspname = t.schema
    LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.relation
)
SELECT
    '42501',
    format('row-level security hides rows of %s from %s', t.name, quote_ident(current_user)),
    format('From its owner: ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', t.name)
        || '; a reader needs BYPASSRLS, or functions of the owner: see docs/operations.md, Roles.'
FROM tables t
WHERE row_security_active(t.oid)
UNION ALL
SELECT
    '55000',
    format('there is no table %s any more', t.name),
    'Put it back, or change the registry; then: python -m generator deploy'
FROM tables t
WHERE t.oid IS NULL
UNION ALL
SELECT
    '55000',
    CASE
        WHEN y.oid IS NULL THEN format('%s has no column %I any more', r.relation, r.name)
        ELSE format('%s.%I has become %s', r.relation, r.name, format_type(a.atttypid, a.atttypmod))
    END,
    'Change it back, or change the registry; then: python -m generator deploy'
FROM (VALUES
    (
        'public.reporting_events',
        'value',
        ARRAY ['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric']
    ),
    (
        'public.reporting_events',
        'value_in_business_hours',
        ARRAY ['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric']
    ),
    (
        'public.reporting_events',
        'user_id',
        ARRAY ['smallint', 'integer', 'bigint']
    ),
    (
        'public.reporting_events',
        'inbox_id',
        ARRAY ['smallint', 'integer', 'bigint']
    ),
    (
        'public.reporting_events',
        'conversation_id',
        ARRAY ['smallint', 'integer', 'bigint']
    ),
    (
        'public.reporting_events',
        'account_id',
        ARRAY ['smallint', 'integer', 'bigint']
    ),
    (
        'public.reporting_events',
        'name',
        ARRAY ['text', 'character varying', 'character', 'citext', 'name', 'enum']
    ),
    (
        'public.reporting_events',
        'created_at',
        ARRAY ['timestamp without time zone']
    ),
    (
        'public.accounts',
        'id',
        ARRAY ['smallint', 'integer', 'bigint']
    ),
    (
        'public.accounts',
        'settings',
        ARRAY ['jsonb']
    )
) r (relation, name, types)
JOIN tables t ON t.name = r.relation AND t.oid IS NOT NULL
LEFT JOIN pg_attribute a ON a.attrelid = t.oid
    AND a.attname = r.name
    AND a.attnum > 0
    AND NOT a.attisdropped
LEFT JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = y.typbasetype
WHERE (
    CASE
        WHEN 'e' IN (y.typtype, b.typtype) THEN 'enum'
        WHEN coalesce(b.typname, y.typname) = 'citext' THEN 'citext'
        ELSE format_type(coalesce(b.oid, y.oid), NULL)
    END = ANY (r.types)
) IS NOT TRUE
$function$;

COMMENT ON FUNCTION rollup.table_problems() IS
    'Why the tables of events, accounts and totals cannot be read as they are, by the current role; no rows when all is well.';
