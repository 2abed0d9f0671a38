CREATE OR REPLACE FUNCTION rollup.want_timezone(account_id bigint, timezone text)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Writes down the zone, valid or NULL, that an account is to have. Where that is a change, the
 * coverage is void from now on. An account without a zone has the new one at once; a change from
 * one zone to another is left to the next rebuild or backfill, which re-buckets what is recorded.
 *
 * Takes no slot: a writer that holds one may be waiting for the account's row.
 */
INSERT INTO rollup.accounts AS a (account_id, timezone, wanted)
VALUES (want_timezone.account_id, want_timezone.timezone, want_timezone.timezone)
ON CONFLICT (account_id) DO UPDATE
SET
    timezone = coalesce(a.timezone, excluded.wanted),
    wanted = excluded.wanted,
    covered = '{}'
WHERE a.wanted IS DISTINCT FROM excluded.wanted
$function$;

COMMENT ON FUNCTION rollup.want_timezone(bigint, text) IS
    'Sets the time zone that an account is to have, already validated; voids its coverage where that is a change.';
