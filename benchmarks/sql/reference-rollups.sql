/* Chatwoot's table of totals, with its key and both of its other indexes, and the past's. */
CREATE TABLE public.reporting_events_rollups (
    id bigserial PRIMARY KEY,
    account_id integer NOT NULL,
    date date NOT NULL,
    dimension_type varchar NOT NULL,
    dimension_id bigint NOT NULL,
    metric varchar NOT NULL,
    count bigint NOT NULL DEFAULT 0,
    sum_value double precision NOT NULL DEFAULT 0,
    sum_value_business_hours double precision NOT NULL DEFAULT 0,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);

INSERT INTO public.reporting_events_rollups (
    account_id,
    date,
    dimension_type,
    dimension_id,
    metric,
    count,
    sum_value,
    sum_value_business_hours,
    created_at,
    updated_at
)
SELECT
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric,
    t.count,
    t.sum_value,
    t.sum_value_business_hours,
    now() AT TIME ZONE 'UTC',
    now() AT TIME ZONE 'UTC'
FROM public.additive_totals t;

CREATE UNIQUE INDEX index_rollup_unique_key
    ON public.reporting_events_rollups (account_id, date, dimension_type, dimension_id, metric);
CREATE INDEX index_rollup_timeseries
    ON public.reporting_events_rollups (account_id, metric, date);
CREATE INDEX index_rollup_summary
    ON public.reporting_events_rollups (account_id, dimension_type, date);
