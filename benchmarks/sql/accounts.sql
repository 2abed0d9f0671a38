/* Accounts, each with its time zone. */
INSERT INTO public.accounts (id, name, settings)
SELECT
    i.id,
    'Desk ' || i.id,
    jsonb_build_object(
        'reporting_timezone',
        (ARRAY[
            'America/New_York',
            'Europe/Berlin',
            'Asia/Kolkata',
            'UTC',
            'Australia/Sydney',
            'America/Sao_Paulo',
            'Asia/Tokyo',
            'America/Los_Angeles'
        ])[1 + i.id %% 8]
    )
FROM generate_series(1, %(accounts)s) i (id)
