/* The totals of a day of an account by one dimension, as Chatwoot's backfill asks for them. */
SELECT
    CASE %(dimension)s
        WHEN 'account' THEN e.account_id
        WHEN 'agent' THEN e.user_id
        ELSE e.inbox_id
    END AS dimension_id,
    e.name,
    count(*),
    coalesce(sum(e.value), 0),
    coalesce(sum(e.value_in_business_hours), 0)
FROM public.reporting_events e
WHERE e.account_id = %(account_id)s
AND e.name IN (
    'conversation_resolved',
    'first_response',
    'reply_time',
    'conversation_bot_resolved',
    'conversation_bot_handoff'
)
AND e.created_at >= %(date)s::timestamp AT TIME ZONE %(timezone)s AT TIME ZONE 'UTC'
AND e.created_at < (%(date)s + 1)::timestamp AT TIME ZONE %(timezone)s AT TIME ZONE 'UTC'
AND CASE %(dimension)s
    WHEN 'account' THEN e.account_id
    WHEN 'agent' THEN e.user_id
    ELSE e.inbox_id
END IS NOT NULL
GROUP BY 1, 2
