CREATE TYPE rollup.report_request AS (
    account_id bigint,
    event text,
    metric text,
    is_average boolean,
    is_distinct boolean,
    excluded_event text,
    excluded_metric text,
    dimension_type text,
    dimension_id bigint,
    since timestamp with time zone,
    until timestamp with time zone,
    unit text,
    week_shift interval,
    business_hours boolean,
    timezone text,
    days datemultirange,
    moments tstzmultirange,
    raw_because text
);

COMMENT ON TYPE rollup.report_request IS
    'A report that is asked for, worked out: the days that it reads from rollups, and the moments that it reads from raw events.';
