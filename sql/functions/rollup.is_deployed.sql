CREATE OR REPLACE FUNCTION rollup.is_deployed(counting text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Whether what was rendered for a registry, of which it knows the digest, is of the last deployment in
 * the snapshot. A function that has waited for a slot, or that runs for long, may have been replaced
 * meanwhile: its old text would count by the old registry. And in a snapshot older than a deployment
 * new texts meet old totals.
 */
BEGIN
    RETURN is_deployed.counting = (
        SELECT d.counting ->> 'digest'
        FROM rollup.deployments d
        ORDER BY d.id DESC
        LIMIT 1
    );
END
$function$;

COMMENT ON FUNCTION rollup.is_deployed(text) IS
    'Whether the registry with this digest of what it counts is the one that was deployed last.';
