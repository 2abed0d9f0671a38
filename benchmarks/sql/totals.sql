/* The daily totals of all events, as one would write the query by hand. */
SELECT
    e.account_id,
    (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE (a.settings ->> 'reporting_timezone'))::date
        AS date,
    d.dimension_type,
    d.dimension_id,
    m.metric,
    CASE WHEN m.is_distinct THEN count(DISTINCT CASE WHEN m.is_distinct THEN e.conversation_id END)
        ELSE count(*) END AS count
FROM public.reporting_events e
