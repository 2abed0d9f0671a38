-- For pgbench: events of now, many in one statement.
INSERT INTO public.reporting_events (
    name,
    value,
    value_in_business_hours,
    account_id,
    inbox_id,
    user_id,
    conversation_id,
    event_start_time,
    event_end_time,
    created_at,
    updated_at
)
SELECT
    (ARRAY[
        'reply_time', 'reply_time', 'reply_time', 'reply_time', 'reply_time',
        'reply_time', 'reply_time', 'reply_time', 'reply_time', 'reply_time',
        'first_response', 'first_response', 'first_response', 'first_response',
        'conversation_resolved', 'conversation_resolved',
        'conversation_resolved', 'conversation_resolved',
        'conversation_bot_resolved',
        'conversation_bot_handoff'
    ])[1 + floor(random() * 20)::integer],
    e.seconds,
    e.seconds,
    e.account_id,
    e.account_id * 10 + floor(random() * 5)::integer,
    e.account_id * 100 + floor(random() * 20)::integer,
    1 + floor(random() * 1000000)::integer,
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC'
FROM (
    SELECT
        1 + floor(random() * :accounts)::integer AS account_id,
        1 + floor(random() * 86400)::integer AS seconds
    FROM generate_series(1, :rows)
    OFFSET 0
) e;
