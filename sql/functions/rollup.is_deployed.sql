CREATE OR REPLACE FUNCTION rollup.is_deployed(counting text)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether the functions whose text was rendered for a registry, of which they know the digest, are
 * those of the last deployment. A function that has waited for a slot, or that runs for long, may
 * have been replaced meanwhile; its old text would count by the old registry.
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

REVOKE EXECUTE ON FUNCTION rollup.is_deployed(text) FROM PUBLIC;
