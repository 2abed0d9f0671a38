CREATE TYPE rollup.chunk AS (
    account_ids bigint[],
    since date,
    until date,
    events bigint
);

COMMENT ON TYPE rollup.chunk IS
    'A step of a backfill: the days since (inclusive) until (exclusive) of accounts, NULL for no bound, and about how many events they have.';
