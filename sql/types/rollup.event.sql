CREATE TYPE rollup.event AS (
    sign integer,
    account_id bigint,
    event text,
    at timestamp with time zone,
    agent bigint,
    inbox bigint,
    conversation_id bigint,
    value double precision,
    value_in_business_hours double precision
);

COMMENT ON TYPE rollup.event IS
    'What a row of the events table means to the totals: whether it comes (sign 1) or goes (-1; other numbers: so many alike), whose it is, what happened and when, and one column for each dimension, thing counted distinct and measure.';
