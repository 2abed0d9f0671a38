/*
    A support desk's past: conversations of five events each, one after the other, about a thousand
    of them open at a time, over the given days until now. Every tenth of them is not answered.
*/
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
    c.seconds,
    c.seconds / 3,
    c.account_id,
    c.account_id * 10 + c.id / %(accounts)s %% 5,
    CASE WHEN c.id %% 10 > 0 THEN c.account_id * 100 + c.id / %(accounts)s %% 20 END,
    c.id,
    c.created_at - make_interval(secs => c.seconds),
    c.created_at,
    c.created_at,
    c.created_at
FROM (
    SELECT
        b.id,
        1 + b.id %% %(accounts)s AS account_id,
        b.seconds,
        b.created_at
    FROM (
        SELECT
            (i.number + floor(random() * 5000)::integer) / 5 AS id,
            round((random() * 86400)::numeric, 1)::double precision AS seconds,
            now() AT TIME ZONE 'UTC'
                - make_interval(secs => 86400.0 * %(days)s * (1 - i.number::float / %(events)s))
                AS created_at
        FROM generate_series(1, %(events)s) i (number)
        OFFSET 0
    ) b
) c
