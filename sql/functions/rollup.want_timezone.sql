CREATE OR REPLACE FUNCTION rollup.want_timezone(account_id bigint, timezone text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Writes down the zone, valid or NULL, that an account is to have. Where that is a change, the
 * coverage is void from now on. An account without a zone has the new one at once, unless it has
 * sealed days; a change from one zone to another is left to the next rebuild or backfill, which
 * re-buckets what is recorded.
 *
 * Waits for no transaction and takes no slot: the caller may hold what a writer of accounts wants. A
 * session that inserts into rollup.accounts holds an advisory lock, which is tried here, and so is the
 * row. Where either is taken, or the row has changed since the snapshot of a transaction above READ
 * COMMITTED, the zone goes to rollup.timezone_requests, with no day covered until that is settled.
 */
BEGIN
    IF pg_try_advisory_xact_lock(
        1919904876,
        257 + (want_timezone.account_id & 255)::integer
    ) THEN
        BEGIN
            -- A statement of its own: it sees what earlier holders of the lock have committed.
            PERFORM
            FROM rollup.accounts a
            WHERE a.account_id = want_timezone.account_id
            FOR NO KEY UPDATE SKIP LOCKED;

            IF FOUND OR NOT EXISTS (
                SELECT
                FROM rollup.accounts a
                WHERE a.account_id = want_timezone.account_id
            ) THEN
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
                WHERE a.wanted IS DISTINCT FROM excluded.wanted;

                RETURN;
            END IF;
        EXCEPTION
            WHEN serialization_failure THEN
                NULL;
        END;
    END IF;

    INSERT INTO rollup.timezone_requests (account_id, timezone)
    VALUES (want_timezone.account_id, want_timezone.timezone);

    INSERT INTO rollup.invalidations (account_id)
    VALUES (want_timezone.account_id);
END
$function$;

COMMENT ON FUNCTION rollup.want_timezone(bigint, text) IS
    'Sets the time zone that an account is to have, already validated, without waiting; voids its coverage where that is a change.';

REVOKE EXECUTE ON FUNCTION rollup.want_timezone(bigint, text) FROM PUBLIC;
