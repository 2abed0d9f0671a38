CREATE OR REPLACE VIEW rollup.coverage AS
SELECT
    a.account_id,
    CASE
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
FROM rollup.accounts a;

COMMENT ON VIEW rollup.coverage IS
    'The days of each account on which its rollups are exact: rollup.accounts.covered, unless invalidated since.';
