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
    v.covered AS covered_but_for_gaps
FROM rollup.accounts a
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
        WHEN NOT rollup.knows_timezone(a.timezone) THEN '{}'
        ELSE a.covered
    END AS covered
) v;

COMMENT ON VIEW rollup.coverage IS
    'The days of each account on which all of its rollups are exact, and those on which they are but for rollup.gaps: rollup.accounts.covered, unless invalidated since.';
