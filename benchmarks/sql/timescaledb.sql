/*
    A continuous aggregate, as near as it can get: the events become a hypertable, whose keys must
    hold its time, and the days are those of UTC, because one aggregate knows one time zone.
*/
CREATE EXTENSION timescaledb SCHEMA public;

ALTER TABLE public.reporting_events DROP CONSTRAINT reporting_events_pkey;

SELECT public.create_hypertable('public.reporting_events', 'created_at', migrate_data => true);

CREATE MATERIALIZED VIEW public.reporting_events_by_day
WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT
    public.time_bucket(interval '1 day', e.created_at) AS date,
    e.account_id,
    e.user_id,
    e.inbox_id,
    e.name,
    count(*) AS count,
    sum(e.value) AS sum_value,
    sum(e.value_in_business_hours) AS sum_value_business_hours
FROM public.reporting_events e
GROUP BY 1, 2, 3, 4, 5
WITH NO DATA;
