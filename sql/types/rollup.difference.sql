CREATE TYPE rollup.difference AS (
    account_id bigint,
    date date,
    dimension_type text,
    dimension_id bigint,
    metric text,
    count bigint,
    value_count bigint,
    sum_value double precision,
    business_hours_count bigint,
    sum_value_business_hours double precision,
    members bigint
);

COMMENT ON TYPE rollup.difference IS
    'A rollup key on which truth and rollups differ: truth minus rollups, and how many memberships differ.';
