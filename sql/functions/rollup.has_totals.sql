CREATE OR REPLACE FUNCTION rollup.has_totals(account_ids bigint[], since date, until date)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
/*
 * Whether totals of accounts (NULL: all) are recorded on the days since (inclusive) until (exclusive;
 * NULL: no bound; without accounts the bounds are ignored). OFFSET 0 keeps the planner, which may know
 * nothing of the table yet, from reading all of it for each account.
 */
SELECT CASE
    WHEN has_totals.account_ids IS NULL THEN EXISTS (SELECT FROM public.reporting_events_rollups)
    ELSE EXISTS (
        SELECT
        FROM unnest(has_totals.account_ids) i (account_id)
        CROSS JOIN LATERAL (
            SELECT
            FROM public.reporting_events_rollups r
            WHERE r.account_id = i.account_id
            AND (has_totals.since IS NULL OR r.date >= has_totals.since)
            AND (has_totals.until IS NULL OR r.date < has_totals.until)
            OFFSET 0
        ) r
    )
END
$function$;

COMMENT ON FUNCTION rollup.has_totals(bigint[], date, date) IS
    'Whether totals of accounts (NULL: all) are recorded on the days since (inclusive) until (exclusive).';
