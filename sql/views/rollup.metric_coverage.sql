CREATE OR REPLACE VIEW rollup.metric_coverage AS
SELECT
    v.account_id,
    d.dimension_type,
    m.metric,
    v.covered_but_for_gaps - n.missing AS covered,
    n.missing
FROM rollup.coverage v
CROSS JOIN (VALUES
    ('account'),
    ('agent'),
    ('inbox')
) d (dimension_type)
CROSS JOIN (VALUES
    ('resolutions_count'),
    ('resolution_time'),
    ('first_response'),
    ('reply_time'),
    ('bot_resolutions_count'),
    ('bot_handoffs_count')
) m (metric)
CROSS JOIN LATERAL (
    SELECT coalesce(range_agg(x.days), '{}') AS missing
    FROM rollup.gaps g
    CROSS JOIN LATERAL unnest(g.days) x (days)
    WHERE g.account_id = v.account_id
    AND (g.metric = m.metric OR g.dimension_type = d.dimension_type)
) n;

COMMENT ON VIEW rollup.metric_coverage IS
    'The days of each account, dimension and metric on which totals are exact, and those on which they miss what was before a deployment; sealed days that miss it do so for ever.';
