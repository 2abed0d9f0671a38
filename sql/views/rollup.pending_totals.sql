CREATE OR REPLACE VIEW rollup.pending_totals AS
SELECT
    e.account_id, z.date, d.dimension_type, d.dimension_id, m.metric,
    e.sign::bigint AS count,
    (CASE WHEN m.is_duration AND e.value IS NOT NULL THEN e.sign ELSE 0 END)::bigint
        AS value_count,
    coalesce(CASE WHEN m.is_duration THEN e.sign * e.value END, 0)
        AS sum_value,
    (CASE WHEN m.is_duration AND e.value_in_business_hours IS NOT NULL THEN e.sign ELSE 0 END)::bigint
        AS business_hours_count,
    coalesce(CASE WHEN m.is_duration THEN e.sign * e.value_in_business_hours END, 0)
        AS sum_value_business_hours
FROM rollup.pending_events e
JOIN rollup.accounts a ON a.account_id = e.account_id AND a.timezone IS NOT NULL
CROSS JOIN LATERAL (
    SELECT a.timezone
    WHERE rollup.knows_timezone(a.timezone)
    OFFSET 0
) k
CROSS JOIN LATERAL (
    SELECT (e.at AT TIME ZONE k.timezone)::date AS date
    OFFSET 0
) z
JOIN (
    SELECT
        m.event,
        m.metric,
        m.kind = 'duration' AS is_duration
    FROM rollup.metrics m
    WHERE m.kind <> 'distinct'
) m ON m.event = e.event
JOIN LATERAL (VALUES
    ('account', e.account_id::bigint), ('agent', e.agent::bigint),
    ('inbox', e.inbox::bigint)
) d (dimension_type, dimension_id) ON d.dimension_id IS NOT NULL
UNION ALL
SELECT
    t.account_id, t.date, t.dimension_type, t.dimension_id, t.metric,
    sum(
        (coalesce(n.occurrences, 0) + t.occurrences > 0)::integer
            - (coalesce(n.occurrences, 0) > 0)::integer
    ) AS count,
    0 AS value_count, 0 AS sum_value, 0 AS business_hours_count,
    0 AS sum_value_business_hours
FROM rollup.pending_members t
LEFT JOIN rollup.distinct_members n
    USING (account_id, date, dimension_type, dimension_id, metric, member)
WHERE t.metric IN ('bot_handoffs_count')
GROUP BY t.account_id, t.dimension_type, t.metric, t.date, t.dimension_id;

COMMENT ON VIEW rollup.pending_totals IS
    'What pending events change in the totals that are recorded, unsummed.';
