CREATE OR REPLACE FUNCTION rollup.totals_of(events rollup.event[])
 RETURNS TABLE(account_id bigint, date date, dimension_type text, dimension_id bigint, metric text, count bigint, value_count bigint, sum_value double precision, business_hours_count bigint, sum_value_business_hours double precision)
 LANGUAGE sql
 STABLE
AS $function$
/*
 * What events add to totals, summed up per rollup key. Inlined: PostgreSQL puts this query in the place
 * of a call in FROM. The planner takes an array for small, and would go through the metrics for each
 * event: materialized, they are not worked out each time.
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
    FROM unnest(totals_of.events) e
    CROSS JOIN LATERAL (
        SELECT a.timezone
        FROM rollup.accounts a
        WHERE a.account_id = e.account_id
        AND a.timezone IS NOT NULL
        OFFSET 0
    ) a
    CROSS JOIN LATERAL (
        SELECT (e.at AT TIME ZONE a.timezone)::date AS date
        OFFSET 0
    ) z
    JOIN m ON m.event = e.event
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
$function$;

COMMENT ON FUNCTION rollup.totals_of(rollup.event[]) IS
    'What events add to totals, per rollup key.';
