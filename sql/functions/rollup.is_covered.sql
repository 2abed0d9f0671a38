CREATE OR REPLACE FUNCTION rollup.is_covered(account_id bigint, since date, until date, but_for_gaps boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Whether the rollups of an account are exact, in the time zone that it is to have, on all days since
 * (inclusive) until (exclusive); NULL is no bound. With but_for_gaps, metrics and dimensions that came
 * later may be missing.
 */
BEGIN
    RETURN NOT EXISTS (
        SELECT
        FROM rollup.uncovered(
            ARRAY [is_covered.account_id], is_covered.since, is_covered.until, is_covered.but_for_gaps
        )
    );
END
$function$;

COMMENT ON FUNCTION rollup.is_covered(bigint, date, date, boolean) IS
    'Whether the rollups of an account are exact on all days since (inclusive) until (exclusive; NULL: no bound).';
