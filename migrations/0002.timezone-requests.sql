-- Time zones that were asked for while the account's row was not to be had without waiting.

CREATE TABLE IF NOT EXISTS rollup.timezone_requests (
    account_id bigint NOT NULL,
    timezone text,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE rollup.timezone_requests REPLICA IDENTITY FULL;

COMMENT ON TABLE rollup.timezone_requests IS
    'Time zones set by rollup.set_timezone() while another transaction was changing the account: put into rollup.accounts by the next fold, backfill or rebuild.';
COMMENT ON COLUMN rollup.timezone_requests.account_id IS
    'The account.';
COMMENT ON COLUMN rollup.timezone_requests.timezone IS
    'The time zone, as the server spells it; NULL: the account is switched off.';
COMMENT ON COLUMN rollup.timezone_requests.requested_at IS
    'When it was asked for; the last request of an account counts.';
