/* Events of today; written in REPEATABLE READ, they are pending. */
INSERT INTO public.reporting_events (
    name,
    value,
    account_id,
    inbox_id,
    user_id,
    created_at,
    updated_at
)
SELECT
    'first_response',
    i.number,
    1 + i.number %% %(accounts)s,
    10,
    100,
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC'
FROM generate_series(1, %(events)s) i (number)
