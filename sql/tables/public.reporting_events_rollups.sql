-- One that exists is adopted: it keeps its columns, its key and its rows, and gets what it lacks.
CREATE TABLE IF NOT EXISTS public.reporting_events_rollups (
    account_id bigint NOT NULL,
    date date NOT NULL,
    dimension_type text NOT NULL,
    dimension_id bigint NOT NULL,
    metric text NOT NULL,
    count bigint NOT NULL DEFAULT 0,
    created_at timestamp(6) without time zone NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at timestamp(6) without time zone NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    PRIMARY KEY (account_id, dimension_type, metric, date, dimension_id)
) WITH (fillfactor = 80);

ALTER TABLE public.reporting_events_rollups
    ADD COLUMN IF NOT EXISTS value_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS sum_value double precision NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS business_hours_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS sum_value_business_hours double precision NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS created_at timestamp(6) without time zone
        NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    ADD COLUMN IF NOT EXISTS updated_at timestamp(6) without time zone
        NOT NULL DEFAULT (now() AT TIME ZONE 'UTC');

COMMENT ON TABLE public.reporting_events_rollups IS
    'Daily totals as recorded; read them from rollup.current_rollups, which adds what is pending.';
