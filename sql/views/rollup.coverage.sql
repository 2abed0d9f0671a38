CREATE OR REPLACE VIEW rollup.coverage AS
SELECT
    a.account_id,
    CASE
        WHEN EXISTS (
            SELECT
            FROM rollup.invalidations i
            WHERE i.account_id IS NULL OR i.account_id = a.account_id
        ) THEN '{}'::datemultirange
        ELSE a.covered
    END AS covered
FROM rollup.accounts a;

COMMENT ON VIEW rollup.coverage IS
    'The days of each account on which its rollups are exact: rollup.accounts.covered, unless invalidated since.';
