CREATE OR REPLACE VIEW rollup.standing_differences AS
WITH last AS MATERIALIZED (
    SELECT
        s.account_id,
        s.since,
        s.until,
        s.last[1] AS id,
        s.last[2] AS differences
    FROM (
        SELECT
            v.account_id,
            v.since,
            v.until,
            max(ARRAY[v.id, v.differences]) AS last
        FROM rollup.verifications v
        GROUP BY
            v.account_id,
            v.since,
            v.until
    ) s
)
SELECT
    v.id,
    v.verified_at,
    v.verified_by,
    v.account_id,
    v.since,
    v.until,
    v.differences
FROM last l
JOIN rollup.verifications v ON v.id = l.id
WHERE l.differences > 0
AND NOT EXISTS (
    SELECT
    FROM last w
    WHERE w.account_id = l.account_id
    AND w.id > l.id
    AND coalesce(w.since, '-infinity') <= coalesce(l.since, '-infinity')
    AND coalesce(w.until, 'infinity') >= coalesce(l.until, 'infinity')
)
AND NOT EXISTS (
    SELECT
    FROM last w
    WHERE w.account_id IS NULL
    AND w.id > l.id
    AND coalesce(w.since, '-infinity') <= coalesce(l.since, '-infinity')
    AND coalesce(w.until, 'infinity') >= coalesce(l.until, 'infinity')
);

COMMENT ON VIEW rollup.standing_differences IS
    'The verifications of rollup.verifications that found differences on covered days and were followed by none of all of their accounts and days: what is wrong now, as far as is known. Empty after a verification of everything that finds nothing.';
