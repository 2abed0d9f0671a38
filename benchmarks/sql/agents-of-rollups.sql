/* The same as a report. */
SELECT s.*
FROM rollup.accounts a
CROSS JOIN LATERAL rollup.summary(
    a.account_id,
    'agent',
    (current_date - 90)::timestamp AT TIME ZONE a.timezone,
    current_date::timestamp AT TIME ZONE a.timezone
) s
WHERE a.account_id = 1
