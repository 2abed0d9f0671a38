-- An event of now, as pgbench writes it. Names 1 to 20 are counted, in about the proportions that a
-- support desk has them; 21 is not counted.
\set account random(:first_account, :last_account)
\set agent :account * 100 + random(0, 19)
\set inbox :account * 10 + random(0, 4)
\set conversation random(1, 1000000)
\set seconds random(1, 86400)
\set name random(:first_name, :last_name)
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
VALUES (
    (ARRAY[
        'reply_time', 'reply_time', 'reply_time', 'reply_time', 'reply_time',
        'reply_time', 'reply_time', 'reply_time', 'reply_time', 'reply_time',
        'first_response', 'first_response', 'first_response', 'first_response',
        'conversation_resolved', 'conversation_resolved',
        'conversation_resolved', 'conversation_resolved',
        'conversation_bot_resolved',
        'conversation_bot_handoff',
        'conversation_opened'
    ])[:name],
    :seconds,
    :seconds,
    :account,
    :inbox,
    :agent,
    :conversation,
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC'
);
