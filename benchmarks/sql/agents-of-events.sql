/* A quarter of an account's key figures by agent, from the events. */
SELECT
    e.user_id::bigint AS agent,
    count(*) FILTER (WHERE e.name = 'conversation_resolved') AS resolved,
    avg(e.value) FILTER (WHERE e.name = 'conversation_resolved') AS resolution_time,
    avg(e.value) FILTER (WHERE e.name = 'first_response') AS first_response,
    avg(e.value) FILTER (WHERE e.name = 'reply_time') AS reply_time
FROM public.reporting_events e
JOIN rollup.accounts a USING (account_id)
WHERE e.account_id = 1
AND e.name IN ('conversation_resolved', 'first_response', 'reply_time')
AND e.user_id IS NOT NULL
AND e.created_at >= (current_date - 90)::timestamp AT TIME ZONE a.timezone AT TIME ZONE 'UTC'
AND e.created_at < current_date::timestamp AT TIME ZONE a.timezone AT TIME ZONE 'UTC'
GROUP BY e.user_id
ORDER BY e.user_id
