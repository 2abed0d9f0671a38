CREATE OR REPLACE FUNCTION rollup.recorded_members(account_ids bigint[], since date, until date, metrics text[], dimension_types text[])
 RETURNS TABLE(account_id bigint, date date, dimension_type text, dimension_id bigint, metric text, member bigint, occurrences bigint)
 LANGUAGE sql
 STABLE
AS $function$
/*
 * Members of accounts (NULL: all) as recorded, on the days since (inclusive) until (exclusive; NULL: no
 * bound), of some metrics and dimensions (NULL: all): those that a rebuild may change. Sealed days, whose
 * events have been purged, are left out, and so is what is retired. Inlined, like rollup.truth_totals().
 */
SELECT
    n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member,
    n.occurrences
FROM rollup.distinct_members n
WHERE (recorded_members.account_ids IS NULL OR n.account_id = ANY (recorded_members.account_ids))
AND (recorded_members.since IS NULL OR n.date >= recorded_members.since)
AND (recorded_members.until IS NULL OR n.date < recorded_members.until)
AND NOT EXISTS (
    SELECT
    FROM rollup.accounts a
    WHERE a.account_id = n.account_id
    AND a.sealed @> n.date
)
AND n.metric NOT IN (SELECT x.metric FROM rollup.retired x WHERE x.metric IS NOT NULL)
AND n.dimension_type NOT IN (
    SELECT x.dimension_type FROM rollup.retired x WHERE x.dimension_type IS NOT NULL
)
AND (recorded_members.metrics IS NULL OR n.metric = ANY (recorded_members.metrics))
AND (
    recorded_members.dimension_types IS NULL
    OR n.dimension_type = ANY (recorded_members.dimension_types)
)
$function$;

COMMENT ON FUNCTION rollup.recorded_members(bigint[], date, date, text[], text[]) IS
    'Members of accounts (NULL: all) as recorded, those that a rebuild may change.';
