CREATE OR REPLACE FUNCTION rollup.recorded_totals(account_ids bigint[], since date, until date, metrics text[], dimension_types text[])
 RETURNS TABLE(account_id bigint, date date, dimension_type text, dimension_id bigint, metric text, count bigint, value_count bigint, sum_value double precision, business_hours_count bigint, sum_value_business_hours double precision)
 LANGUAGE sql
 STABLE
AS $function$
/*
 * Totals of accounts (NULL: all) as recorded, on the days since (inclusive) until (exclusive; NULL: no
 * bound), of some metrics and dimensions (NULL: all): those that a rebuild may change. Sealed days, whose
 * events have been purged, are left out, and so is what is retired. Inlined, like rollup.truth_totals().
 */
SELECT
    r.account_id, r.date, r.dimension_type, r.dimension_id, r.metric,
    r.count, r.value_count, r.sum_value, r.business_hours_count, r.sum_value_business_hours
FROM public.reporting_events_rollups r
WHERE (recorded_totals.account_ids IS NULL OR r.account_id = ANY (recorded_totals.account_ids))
AND (recorded_totals.since IS NULL OR r.date >= recorded_totals.since)
AND (recorded_totals.until IS NULL OR r.date < recorded_totals.until)
AND NOT EXISTS (
    SELECT
    FROM rollup.accounts a
    WHERE a.account_id = r.account_id
    AND a.sealed @> r.date
)
AND r.metric NOT IN (SELECT x.metric FROM rollup.retired x WHERE x.metric IS NOT NULL)
AND r.dimension_type NOT IN (
    SELECT x.dimension_type FROM rollup.retired x WHERE x.dimension_type IS NOT NULL
)
AND (recorded_totals.metrics IS NULL OR r.metric = ANY (recorded_totals.metrics))
AND (
    recorded_totals.dimension_types IS NULL
    OR r.dimension_type = ANY (recorded_totals.dimension_types)
)
$function$;

COMMENT ON FUNCTION rollup.recorded_totals(bigint[], date, date, text[], text[]) IS
    'Totals of accounts (NULL: all) as recorded, those that a rebuild may change.';
