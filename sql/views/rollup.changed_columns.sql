CREATE OR REPLACE VIEW rollup.changed_columns AS
SELECT
    r.schema_name,
    r.table_name,
    r.column_name,
    CASE
        WHEN a.attnum IS NULL THEN 'is gone'
        WHEN c.oid = r.relation AND a.attnum <> r.attnum THEN 'is another one'
        WHEN a.atttypmod = r.type_modifier AND s.is_same_type THEN 'has another collation'
        ELSE 'has another type'
    END AS change
FROM rollup.read_columns r
JOIN pg_namespace n ON n.nspname = r.schema_name
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = r.table_name
LEFT JOIN pg_attribute a ON a.attrelid = c.oid
    AND a.attname = r.column_name
    AND a.attnum > 0
    AND NOT a.attisdropped
LEFT JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_namespace m ON m.oid = t.typnamespace
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_namespace o ON o.oid = l.collnamespace
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN c.oid = r.relation THEN t.oid = r.type
        ELSE (m.nspname, t.typname) = (r.type_schema, r.type_name)
    END AS is_same_type
) s
WHERE NOT coalesce(
    (c.oid <> r.relation OR a.attnum = r.attnum)
    AND a.atttypmod = r.type_modifier
    AND s.is_same_type
    AND (o.nspname, l.collname) IS NOT DISTINCT FROM (r.collation_schema, r.collation_name),
    false
);

COMMENT ON VIEW rollup.changed_columns IS
    'The columns of the events table that are no longer as the last deployment found them, so that values may have changed under the totals; while there is one, no day is covered. In a table of another oid than then, as after a restore, names and types tell.';
