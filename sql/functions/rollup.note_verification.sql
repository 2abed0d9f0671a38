CREATE OR REPLACE FUNCTION rollup.note_verification(account_id bigint, since date, until date, differences bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Remembers in rollup.verifications what has been compared with the raw events, and how much of what
 * was called covered differed. Forgets what is older than 90 days.
 */
BEGIN
    INSERT INTO rollup.verifications (account_id, since, until, differences)
    VALUES (
        note_verification.account_id,
        note_verification.since,
        note_verification.until,
        note_verification.differences
    );

    DELETE FROM rollup.verifications v
    WHERE v.verified_at < now() - interval '90 days';
END
$function$;

COMMENT ON FUNCTION rollup.note_verification(bigint, date, date, bigint) IS
    'Remembers a verification of an account (NULL: of all) on the days since (inclusive) until (exclusive; NULL: no bound), and forgets those older than 90 days.';

REVOKE EXECUTE ON FUNCTION rollup.note_verification(bigint, date, date, bigint) FROM PUBLIC;
