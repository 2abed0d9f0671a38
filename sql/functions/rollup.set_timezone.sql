CREATE OR REPLACE FUNCTION rollup.set_timezone(account_id bigint, timezone text)
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Sets the reporting time zone of an account and returns it as the server spells it; NULL switches
 * the account off. A name that is none is an error (22023) that changes nothing.
 *
 * The account's days are uncovered from now on, until a backfill or rebuild has re-bucketed them.
 */
DECLARE
    zone text := rollup.canonical_timezone(set_timezone.timezone);
BEGIN
    IF set_timezone.account_id IS NULL THEN
        RAISE EXCEPTION 'no account given'
            USING ERRCODE = 'null_value_not_allowed',
                HINT = 'Call rollup.set_timezone(account_id, timezone).';
    END IF;

    IF zone IS NULL AND set_timezone.timezone IS NOT NULL THEN
        RAISE EXCEPTION 'unknown time zone %', quote_literal(set_timezone.timezone)
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Use a name from pg_timezone_names, such as ''Europe/Berlin''.';
    END IF;

    PERFORM rollup.want_timezone(set_timezone.account_id, zone);

    RETURN zone;
END
$function$;

COMMENT ON FUNCTION rollup.set_timezone(bigint, text) IS
    'Sets the reporting time zone of an account (NULL: none, it is switched off); an unknown name is an error (22023).';

REVOKE EXECUTE ON FUNCTION rollup.set_timezone(bigint, text) FROM PUBLIC;
