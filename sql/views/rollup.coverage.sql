CREATE OR REPLACE VIEW rollup.coverage AS
SELECT
    a.account_id,
    v.covered - coalesce(
        (
            SELECT range_agg(d.days)
            FROM rollup.gaps g
            CROSS JOIN LATERAL unnest(g.days - a.sealed) d (days)
            WHERE g.account_id = a.account_id
        ),
        '{}'
    ) AS covered,
    v.covered AS covered_but_for_gaps,
    c.is_deployed
FROM rollup.accounts a
CROSS JOIN (
    SELECT
        coalesce(
            (
                SELECT
                    d.counting ->> 'digest'
                    = 'e56bad6e872de8b76cc738ed9d1347a361a7c664b7174fda11e03e037b9e6b8d'
                FROM rollup.deployments d
                ORDER BY d.id DESC
                LIMIT 1
            ),
            false
        ) AS is_deployed,
        NOT EXISTS (SELECT FROM rollup.changed_columns) AS are_columns_same
) c
CROSS JOIN (
    SELECT coalesce(range_agg(d.days), '{}') AS days
    FROM rollup.trigger_problems() t
    CROSS JOIN LATERAL rollup.bounds_of(t.relation) b
    CROSS JOIN LATERAL unnest(rollup.days_around(b.since, b.until)) d (days)
) uncounted
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN a.account_id IN (
            SELECT i.account_id
            FROM rollup.invalidations i
            WHERE i.account_id IS NOT NULL
        )
        OR EXISTS (
            SELECT
            FROM rollup.invalidations i
            WHERE i.account_id IS NULL
        ) THEN '{}'::datemultirange
        WHEN NOT (c.is_deployed AND c.are_columns_same) THEN '{}'
        WHEN NOT rollup.knows_timezone(a.timezone) THEN '{}'
        ELSE a.covered - uncounted.days
    END AS covered
) v;

COMMENT ON VIEW rollup.coverage IS
    'The days of each account on which all of its rollups are exact, and those on which they are but for rollup.gaps: rollup.accounts.covered, unless invalidated since. None of those of rollup.trigger_problems(), none while a column has changed (rollup.changed_columns), and none in a snapshot older than the last deployment of another registry (is_deployed is false).';
