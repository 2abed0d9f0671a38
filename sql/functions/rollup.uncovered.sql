CREATE OR REPLACE FUNCTION rollup.uncovered(account_ids bigint[], since date, until date, but_for_gaps boolean DEFAULT false)
 RETURNS SETOF bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Those of the accounts whose rollups are not exact, in the time zone that they are to have, on all days
 * since (inclusive) until (exclusive); NULL is no bound. Accounts that are off are left out. With
 * but_for_gaps, metrics and dimensions that came later may be missing.
 */
DECLARE
    span daterange := daterange(
        nullif(uncovered.since, '-infinity'),
        nullif(uncovered.until, 'infinity')
    );
BEGIN
    RETURN QUERY
    SELECT i.account_id
    FROM unnest(uncovered.account_ids) i (account_id)
    WHERE NOT EXISTS (
        SELECT
        FROM rollup.accounts a
        WHERE a.account_id = i.account_id
        AND a.timezone IS NULL
        AND a.wanted IS NULL
    )
    EXCEPT
    SELECT v.account_id
    FROM rollup.coverage v
    JOIN rollup.accounts a ON a.account_id = v.account_id
    WHERE v.account_id = ANY (uncovered.account_ids)
    AND a.timezone = a.wanted
    AND CASE WHEN uncovered.but_for_gaps THEN v.covered_but_for_gaps ELSE v.covered END @> span
    ORDER BY account_id;
END
$function$;

COMMENT ON FUNCTION rollup.uncovered(bigint[], date, date, boolean) IS
    'Those of the accounts whose rollups are not exact on all days since (inclusive) until (exclusive; NULL: no bound).';
