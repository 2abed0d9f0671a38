CREATE OR REPLACE FUNCTION rollup.short_id(id text)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * What an id of more than 512 bytes counts as: its first 60 characters and a SHA-256 of all of it, so
 * that it fits into an index. Of any other id, itself. Never an error, in no encoding.
 */
SELECT CASE
    WHEN octet_length(short_id.id) <= 512 THEN short_id.id
    ELSE left(short_id.id, 60) || '...sha256:'
        || encode(sha256(convert_to(short_id.id, getdatabaseencoding()::name)), 'hex')
END
$function$;

COMMENT ON FUNCTION rollup.short_id(text) IS
    'What a text id counts as: itself, or of more than 512 bytes its beginning and a digest.';
