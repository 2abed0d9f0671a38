CREATE OR REPLACE FUNCTION rollup.knows_timezone(name text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Whether the server still knows the time zone that is stored for an account. Cheaper by far than a
 * look into pg_timezone_names; not a test of what a user gives, see rollup.canonical_timezone().
 */
BEGIN
    RETURN (now() AT TIME ZONE knows_timezone.name) IS NOT NULL;
EXCEPTION
    WHEN invalid_parameter_value THEN
        RETURN false;
END
$function$;

COMMENT ON FUNCTION rollup.knows_timezone(text) IS
    'Whether the server still knows a time zone that is stored; NULL for NULL.';
