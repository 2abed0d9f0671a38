CREATE OR REPLACE FUNCTION rollup.truth_totals(account_ids bigint[], since date, until date, metrics text[], dimension_types text[], names text[], less_pending boolean)
 RETURNS TABLE(account_id bigint, date date, dimension_type text, dimension_id bigint, metric text, count bigint, value_count bigint, sum_value double precision, business_hours_count bigint, sum_value_business_hours double precision)
 LANGUAGE sql
 STABLE
AS $function$
/*
 * What the totals of accounts (NULL: all) are to be on the days since (inclusive) until (exclusive; NULL:
 * no bound), of some metrics and dimensions (NULL: all), whose events have these names; see
 * rollup.countable_events(). Sealed days, whose events have been purged, are left out. Inlined: PostgreSQL
 * puts this query in the place of a call in FROM.
 *
 * OFFSET 0 keeps the planner from taking nearly all events to have no metric, as it would of a join with a
 * column of which it knows nothing, and from sorting all that is left instead of hashing it.
 */
SELECT
    g.account_id, g.date, d.dimension_type, g.dimension_id, g.metric,
    g.count, g.value_count, g.sum_value, g.business_hours_count, g.sum_value_business_hours
FROM (
    WITH m AS MATERIALIZED (
        SELECT
            m.event,
            m.metric,
            m.kind = 'duration' AS is_duration
        FROM rollup.metrics m
        WHERE m.kind <> 'distinct'
        AND (truth_totals.metrics IS NULL OR m.metric = ANY (truth_totals.metrics))
    )
    SELECT
        e.account_id,
        z.date,
        GROUPING(e.agent, e.inbox) AS grouped_by,
        CASE GROUPING(e.agent, e.inbox)
            WHEN 3 THEN e.account_id::bigint
            WHEN 1 THEN e.agent::bigint
            WHEN 2 THEN e.inbox::bigint
        END AS dimension_id,
        m.metric,
        sum(e.sign) AS count,
        sum(CASE WHEN m.is_duration AND e.value IS NOT NULL THEN e.sign ELSE 0 END)
            AS value_count,
        coalesce(sum(CASE WHEN m.is_duration THEN e.sign * e.value END), 0)
            AS sum_value,
        sum(CASE WHEN m.is_duration AND e.value_in_business_hours IS NOT NULL THEN e.sign ELSE 0 END)
            AS business_hours_count,
        coalesce(sum(CASE WHEN m.is_duration THEN e.sign * e.value_in_business_hours END), 0)
            AS sum_value_business_hours
    FROM rollup.countable_events(
        truth_totals.account_ids, truth_totals.since, truth_totals.until, truth_totals.names,
        truth_totals.less_pending
    ) e
    JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT (e.at AT TIME ZONE a.timezone)::date AS date
        OFFSET 0
    ) z
    CROSS JOIN LATERAL (
        SELECT m.metric, m.is_duration
        FROM m
        WHERE m.event = e.event
        OFFSET 0
    ) m
    WHERE (truth_totals.since IS NULL OR z.date >= truth_totals.since)
    AND (truth_totals.until IS NULL OR z.date < truth_totals.until)
    AND NOT a.sealed @> z.date
    GROUP BY e.account_id, m.metric, z.date, GROUPING SETS (
        (),
        (e.agent),
        (e.inbox)
    )
) g
JOIN (VALUES
    ('account', 3),
    ('agent', 1),
    ('inbox', 2)
) d (dimension_type, grouped_by) ON d.grouped_by = g.grouped_by
WHERE g.dimension_id IS NOT NULL
AND (truth_totals.dimension_types IS NULL OR d.dimension_type = ANY (truth_totals.dimension_types))
$function$;

COMMENT ON FUNCTION rollup.truth_totals(bigint[], date, date, text[], text[], text[], boolean) IS
    'What totals are to be, counted from the events: of accounts (NULL: all), on the days since (inclusive) until (exclusive).';
