CREATE OR REPLACE FUNCTION rollup.short_id(id text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE STRICT
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * What a text id counts as: itself up to 255 bytes; a longer one as its first 40 characters,
 * '~sha256:' and the SHA-256 of all of it. Two ids and the names of a key then fit into an index. The
 * digest is that of the server's encoding: md5() fails on servers in FIPS mode.
 */
SELECT CASE
    WHEN octet_length(short_id.id) <= 255 THEN short_id.id
    ELSE left(short_id.id, 40) || '~sha256:'
        || encode(sha256(convert_to(short_id.id, getdatabaseencoding()::name)), 'hex')
END
$function$;

COMMENT ON FUNCTION rollup.short_id(text) IS
    'What a text id counts as: itself, or, where it is longer than 255 bytes, its beginning and a digest.';
