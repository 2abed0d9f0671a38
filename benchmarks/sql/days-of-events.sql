/* A year's first responses of an account, day by day, from the events. */
SELECT
    (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date,
    count(*) AS count,
    avg(e.value) AS average
FROM public.reporting_events e
JOIN rollup.accounts a USING (account_id)
WHERE e.account_id = 1
AND e.name = 'first_response'
AND e.created_at >= now() AT TIME ZONE 'UTC' - interval '2 years'
GROUP BY 1
ORDER BY 1
