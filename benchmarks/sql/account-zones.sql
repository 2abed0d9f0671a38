/* The accounts' time zones by themselves, for analysts who look them up by hand. */
CREATE TABLE public.account_zones (
    account_id bigint PRIMARY KEY,
    timezone text NOT NULL
) WITH (fillfactor = 10);

INSERT INTO public.account_zones (account_id, timezone)
SELECT
    a.id,
    a.settings ->> 'reporting_timezone'
FROM public.accounts a;
