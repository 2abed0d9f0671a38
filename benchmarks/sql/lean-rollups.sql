/* The table that one would make for totals, with those of the past; it has one index. */
CREATE TABLE public.reporting_events_rollups (
    account_id bigint NOT NULL,
    date date NOT NULL,
    dimension_type text NOT NULL,
    dimension_id bigint NOT NULL,
    metric text NOT NULL,
    count bigint NOT NULL,
    sum_value double precision NOT NULL,
    sum_value_business_hours double precision NOT NULL,
    PRIMARY KEY (account_id, dimension_type, metric, date, dimension_id)
) WITH (fillfactor = 80);

INSERT INTO public.reporting_events_rollups (
    account_id,
    date,
    dimension_type,
    dimension_id,
    metric,
    count,
    sum_value,
    sum_value_business_hours
)
SELECT
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric,
    t.count,
    t.sum_value,
    t.sum_value_business_hours
FROM public.additive_totals t;
