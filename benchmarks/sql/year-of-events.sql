/* A year of an account's first responses, day by day, from the events. */
SELECT
    (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date,
    avg(e.value) AS average,
    count(*) AS count
FROM public.reporting_events e
JOIN rollup.accounts a USING (account_id)
WHERE e.account_id = 1
AND e.name = 'first_response'
AND e.created_at >= (current_date - 364)::timestamp AT TIME ZONE a.timezone AT TIME ZONE 'UTC'
AND e.created_at < (current_date + 1)::timestamp AT TIME ZONE a.timezone AT TIME ZONE 'UTC'
GROUP BY 1
ORDER BY 1
