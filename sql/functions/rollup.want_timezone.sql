CREATE OR REPLACE FUNCTION rollup.want_timezone(account_id bigint, timezone text)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Writes down the zone, valid or NULL, that an account is to have. Where that is a change, the
 * coverage is void from now on. An account without a zone has the new one at once, unless it has
 * sealed days; a change from one zone to another is left to the next rebuild or backfill, which
 * re-buckets what is recorded.
 *
 * Takes no slot. Where it inserts, it takes the lock that rollup.follow_accounts() tries first.
 */
SELECT pg_advisory_xact_lock(1919904876, 257 + (want_timezone.account_id & 255)::integer)
WHERE NOT EXISTS (
    SELECT
    FROM rollup.accounts a
    WHERE a.account_id = want_timezone.account_id
);

INSERT INTO rollup.accounts AS a (account_id, timezone, wanted)
VALUES (want_timezone.account_id, want_timezone.timezone, want_timezone.timezone)
ON CONFLICT (account_id) DO UPDATE
SET
    timezone = CASE
        WHEN isempty(a.sealed) THEN coalesce(a.timezone, excluded.wanted)
        ELSE a.timezone
    END,
    wanted = excluded.wanted,
    covered = '{}'
WHERE a.wanted IS DISTINCT FROM excluded.wanted
$function$;

COMMENT ON FUNCTION rollup.want_timezone(bigint, text) IS
    'Sets the time zone that an account is to have, already validated; voids its coverage where that is a change.';

REVOKE EXECUTE ON FUNCTION rollup.want_timezone(bigint, text) FROM PUBLIC;
