/* The same as a report. */
SELECT
    (s.bucket_start AT TIME ZONE a.timezone)::date AS date,
    s.value AS average,
    s.count
FROM rollup.accounts a
CROSS JOIN LATERAL rollup.timeseries(
    a.account_id,
    'avg_first_response_time',
    'account',
    NULL,
    (current_date - 364)::timestamp AT TIME ZONE a.timezone,
    (current_date + 1)::timestamp AT TIME ZONE a.timezone
) s
WHERE a.account_id = 1
AND s.count > 0
