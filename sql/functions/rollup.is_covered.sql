CREATE OR REPLACE FUNCTION rollup.is_covered(account_id bigint, since date, until date)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether the rollups of an account are exact, in the time zone that it is to have, on all days since
 * (inclusive) until (exclusive); NULL is no bound.
 */
BEGIN
    RETURN EXISTS (
        SELECT
        FROM rollup.accounts a
        JOIN rollup.coverage v ON v.account_id = a.account_id
        WHERE a.account_id = is_covered.account_id
        AND a.timezone = a.wanted
        AND v.covered @> daterange(
            nullif(is_covered.since, '-infinity'),
            nullif(is_covered.until, 'infinity')
        )
    );
END
$function$;

COMMENT ON FUNCTION rollup.is_covered(bigint, date, date) IS
    'Whether the rollups of an account are exact on all days since (inclusive) until (exclusive; NULL: no bound).';
