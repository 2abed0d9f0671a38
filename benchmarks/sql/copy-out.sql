COPY public.reporting_events (
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
TO STDOUT
