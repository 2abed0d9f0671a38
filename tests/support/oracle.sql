/*
    What the events say, in plain queries written by hand, beside what the rollups say, and what
    rollup.drift() says of the two: a row for every difference. One statement, hence one snapshot.
    Sums may differ by a microsecond, or a billionth: floats depend on the order of adding.

    The parameter, true or false, limits it to the days that rollup.coverage calls covered.
*/
WITH event AS (
    SELECT
        e.account_id,
        e.user_id,
        e.inbox_id,
        e.conversation_id,
        e.name,
        (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS day,
        CASE WHEN abs(e.value) <= 1e15 THEN e.value END AS value,
        CASE WHEN abs(e.value_in_business_hours) <= 1e15 THEN e.value_in_business_hours END AS hours
    FROM public.reporting_events e
    JOIN rollup.accounts a ON a.account_id = e.account_id
    WHERE a.timezone IS NOT NULL
    AND isfinite(e.created_at)
    AND extract(year FROM e.created_at) BETWEEN 1 AND 9999
),

one (account_id, type, id, day, name, value, hours, conversation_id) AS (
    SELECT account_id, 'account', account_id, day, name, value, hours, conversation_id
    FROM event
    UNION ALL
    SELECT account_id, 'agent', user_id, day, name, value, hours, conversation_id
    FROM event
    WHERE user_id IS NOT NULL
    UNION ALL
    SELECT account_id, 'inbox', inbox_id, day, name, value, hours, conversation_id
    FROM event
    WHERE inbox_id IS NOT NULL
),

truth (account_id, type, id, day, metric, count, seconds, total, hours, total_hours) AS (
    SELECT account_id, type, id, day, 'resolutions_count', count(*), 0, 0, 0, 0
    FROM one
    WHERE name = 'conversation_resolved'
    GROUP BY account_id, type, id, day
    UNION ALL
    SELECT
        account_id, type, id, day, 'resolution_time', count(*),
        count(value), coalesce(sum(value), 0), count(hours), coalesce(sum(hours), 0)
    FROM one
    WHERE name = 'conversation_resolved'
    GROUP BY account_id, type, id, day
    UNION ALL
    SELECT
        account_id, type, id, day, 'first_response', count(*),
        count(value), coalesce(sum(value), 0), count(hours), coalesce(sum(hours), 0)
    FROM one
    WHERE name = 'first_response'
    GROUP BY account_id, type, id, day
    UNION ALL
    SELECT
        account_id, type, id, day, 'reply_time', count(*),
        count(value), coalesce(sum(value), 0), count(hours), coalesce(sum(hours), 0)
    FROM one
    WHERE name = 'reply_time'
    GROUP BY account_id, type, id, day
    UNION ALL
    SELECT account_id, type, id, day, 'bot_resolutions_count', count(*), 0, 0, 0, 0
    FROM one
    WHERE name = 'conversation_bot_resolved'
    GROUP BY account_id, type, id, day
    UNION ALL
    SELECT
        account_id, type, id, day, 'bot_handoffs_count', count(DISTINCT conversation_id), 0, 0, 0, 0
    FROM one
    WHERE name = 'conversation_bot_handoff' AND conversation_id IS NOT NULL
    GROUP BY account_id, type, id, day
),

true_member (account_id, type, id, day, metric, member, occurrences) AS (
    SELECT account_id, type, id, day, 'bot_resolutions_count', conversation_id, count(*)
    FROM one
    WHERE name = 'conversation_bot_resolved' AND conversation_id IS NOT NULL
    GROUP BY account_id, type, id, day, conversation_id
    UNION ALL
    SELECT account_id, type, id, day, 'bot_handoffs_count', conversation_id, count(*)
    FROM one
    WHERE name = 'conversation_bot_handoff' AND conversation_id IS NOT NULL
    GROUP BY account_id, type, id, day, conversation_id
),

rollup (account_id, type, id, day, metric, count, seconds, total, hours, total_hours) AS (
    SELECT
        account_id, dimension_type, dimension_id, date, metric,
        count, value_count, sum_value, business_hours_count, sum_value_business_hours
    FROM rollup.current_rollups
),

member (account_id, type, id, day, metric, member, occurrences) AS (
    SELECT account_id, dimension_type, dimension_id, date, metric, member, occurrences
    FROM rollup.current_members
),

difference (what, account_id, type, id, day, metric, found, expected) AS (
    SELECT
        'rollup', account_id, type, id, day, metric,
        concat_ws(' ', r.count, r.seconds, r.total, r.hours, r.total_hours),
        concat_ws(' ', t.count, t.seconds, t.total, t.hours, t.total_hours)
    FROM truth t
    FULL JOIN rollup r USING (account_id, type, id, day, metric)
    WHERE (t.count, t.seconds, t.hours) IS DISTINCT FROM (r.count, r.seconds, r.hours)
    OR abs(t.total - r.total) > 1e-9 * greatest(1000, abs(t.total))
    OR abs(t.total_hours - r.total_hours) > 1e-9 * greatest(1000, abs(t.total_hours))
    UNION ALL
    SELECT
        'member ' || member, account_id, type, id, day, metric,
        r.occurrences::text, t.occurrences::text
    FROM true_member t
    FULL JOIN member r USING (account_id, type, id, day, metric, member)
    WHERE t.occurrences IS DISTINCT FROM r.occurrences
    UNION ALL
    SELECT 'drift', account_id, dimension_type, dimension_id, date, metric, d::text, ''
    FROM rollup.drift() d
)

SELECT d.what, d.account_id, d.type, d.id, d.day::text, d.metric, d.found, d.expected
FROM difference d
WHERE NOT %(covered)s
OR EXISTS (
    SELECT
    FROM rollup.coverage v
    WHERE v.account_id = d.account_id
    AND v.covered @> d.day
)
ORDER BY d.what, d.account_id, d.type, d.id, d.day, d.metric
