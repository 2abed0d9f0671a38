"""Tables as others have made them: rollups of the application's own, and events in partitions."""

COLUMNS = """
CREATE TABLE public.reporting_events_rollups (
    id bigserial PRIMARY KEY,
    account_id integer NOT NULL,
    date date NOT NULL,
    dimension_type varchar NOT NULL,
    dimension_id bigint NOT NULL,
    metric varchar NOT NULL,
    count bigint NOT NULL DEFAULT 0,
    sum_value double precision NOT NULL DEFAULT 0.0,
    sum_value_business_hours double precision NOT NULL DEFAULT 0.0,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);
"""
KEY = """
CREATE UNIQUE INDEX index_rollup_unique_key ON public.reporting_events_rollups
    (account_id, date, dimension_type, dimension_id, metric);
"""
OTHER_INDEXES = """
CREATE INDEX index_rollup_timeseries ON public.reporting_events_rollups (account_id, metric, date);
CREATE INDEX index_rollup_summary ON public.reporting_events_rollups
    (account_id, dimension_type, date);
"""
ROWS = """
INSERT INTO public.reporting_events_rollups (
    account_id, date, dimension_type, dimension_id, metric, count, sum_value, created_at, updated_at
)
SELECT 1 + i % 3, date '2026-03-01' + i % 20, 'account', 1 + i % 3, 'first_response', i, i * 2.5,
    '2026-03-30', '2026-03-30'
FROM generate_series(1, 50) i
"""
PARTITIONED = """
CREATE TABLE public.whole (LIKE public.reporting_events INCLUDING DEFAULTS)
    PARTITION BY RANGE (created_at);
DROP TABLE public.reporting_events CASCADE;
ALTER TABLE public.whole RENAME TO reporting_events;
CREATE SEQUENCE public.ids;
ALTER TABLE public.reporting_events ALTER COLUMN id SET DEFAULT nextval('public.ids');
CREATE SCHEMA "Old ones";
CREATE TABLE "Old ones"."Until March 9th" PARTITION OF public.reporting_events
    FOR VALUES FROM (MINVALUE) TO ('2026-03-09');
CREATE TABLE public.march PARTITION OF public.reporting_events
    FOR VALUES FROM ('2026-03-09') TO ('2026-04-01') PARTITION BY LIST (account_id);
CREATE TABLE public.march_of_2 PARTITION OF public.march FOR VALUES IN (2);
CREATE TABLE public.march_of_others PARTITION OF public.march DEFAULT;
"""
APRIL = """
CREATE TABLE public.april PARTITION OF public.reporting_events
    FOR VALUES FROM ('2026-04-01') TO (MAXVALUE)
"""
