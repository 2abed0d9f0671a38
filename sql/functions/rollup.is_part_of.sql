CREATE OR REPLACE FUNCTION rollup.is_part_of(relation oid, whole text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether a table is the one of that name, or a partition of it at any depth, or inherits from it.
 */
WITH RECURSIVE family AS (
    SELECT is_part_of.relation AS oid
    UNION
    SELECT i.inhparent
    FROM family f
    JOIN pg_inherits i ON i.inhrelid = f.oid
)
SELECT EXISTS (
    SELECT
    FROM family f
    WHERE f.oid = to_regclass(is_part_of.whole)
)
$function$;

COMMENT ON FUNCTION rollup.is_part_of(oid, text) IS
    'Whether a table is the one of that name, or a partition of it at any depth, or inherits from it.';
