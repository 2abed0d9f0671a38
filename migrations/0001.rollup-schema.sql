-- The durable state that does not depend on a registry. Tables that do are in sql/tables/; functions,
-- views and triggers are replaced whole by every deploy. The schema is there before: yoyo needs it.
--
-- A table without a primary key needs a replica identity: else, in a database that publishes all its
-- tables, whoever changes it fails.

COMMENT ON SCHEMA rollup IS
    'Keeps daily rollups of an events table exact: https://pypi.org/project/reporting-rollups';

CREATE TABLE IF NOT EXISTS rollup.accounts (
    account_id bigint PRIMARY KEY,
    timezone text,
    wanted text,
    setting text,
    covered datemultirange NOT NULL DEFAULT '{}',
    sealed datemultirange NOT NULL DEFAULT '{}',
    reads_enabled boolean NOT NULL DEFAULT false,
    rebuilt_at timestamptz,
    verified_at timestamptz
) WITH (fillfactor = 10);

COMMENT ON TABLE rollup.accounts IS
    'The accounts that take part, each with its time zone and the days on which its rollups are exact.';
COMMENT ON COLUMN rollup.accounts.account_id IS
    'The account, as in the events table.';
COMMENT ON COLUMN rollup.accounts.timezone IS
    'The time zone whose days are recorded; NULL: none are.';
COMMENT ON COLUMN rollup.accounts.wanted IS
    'The time zone that is asked for; where it differs, the next rebuild or backfill puts it into force.';
COMMENT ON COLUMN rollup.accounts.setting IS
    'What the application was last seen to keep as the time zone of the account, valid or not.';
COMMENT ON COLUMN rollup.accounts.covered IS
    'The days on which rollups and raw events agree, now and after every change; read it as rollup.coverage.';
COMMENT ON COLUMN rollup.accounts.sealed IS
    'The days whose raw events have been purged: their rollups are all there is, and are never rebuilt.';
COMMENT ON COLUMN rollup.accounts.reads_enabled IS
    'Whether reports may read rollups for the account.';
COMMENT ON COLUMN rollup.accounts.rebuilt_at IS
    'When days of the account were last rebuilt.';
COMMENT ON COLUMN rollup.accounts.verified_at IS
    'When the account was last verified whole, and found without drift.';

CREATE TABLE IF NOT EXISTS rollup.invalidations (
    account_id bigint
);

ALTER TABLE rollup.invalidations REPLICA IDENTITY FULL;

COMMENT ON TABLE rollup.invalidations IS
    'Accounts of which no day is covered any more, put down here by whoever must not wait for rollup.accounts.';
COMMENT ON COLUMN rollup.invalidations.account_id IS
    'The account, taking part or not; NULL: every one.';

CREATE TABLE IF NOT EXISTS rollup.gaps (
    account_id bigint NOT NULL,
    metric text,
    dimension_type text,
    days datemultirange NOT NULL,
    CHECK (num_nonnulls(metric, dimension_type) = 1)
);

CREATE INDEX IF NOT EXISTS gaps_account_id ON rollup.gaps (account_id);

ALTER TABLE rollup.gaps REPLICA IDENTITY FULL;

COMMENT ON TABLE rollup.gaps IS
    'Metrics and dimensions that came after some days were covered, or changed since: not complete on those days until they are backfilled.';
COMMENT ON COLUMN rollup.gaps.account_id IS
    'The account.';
COMMENT ON COLUMN rollup.gaps.metric IS
    'The metric, of every dimension; NULL: see dimension_type.';
COMMENT ON COLUMN rollup.gaps.dimension_type IS
    'The dimension, of every metric; NULL: see metric.';
COMMENT ON COLUMN rollup.gaps.days IS
    'The days; those that are sealed stay, for their events are gone.';

CREATE TABLE IF NOT EXISTS rollup.retired (
    metric text,
    dimension_type text,
    CHECK (num_nonnulls(metric, dimension_type) = 1)
);

ALTER TABLE rollup.retired REPLICA IDENTITY FULL;

COMMENT ON TABLE rollup.retired IS
    'Metrics and dimensions that are no longer counted, and whose rows are kept as they were.';
COMMENT ON COLUMN rollup.retired.metric IS
    'The metric, of every dimension; NULL: see dimension_type.';
COMMENT ON COLUMN rollup.retired.dimension_type IS
    'The dimension, of every metric; NULL: see metric.';

CREATE TABLE IF NOT EXISTS rollup.verifications (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verified_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    verified_by text NOT NULL DEFAULT session_user,
    account_id bigint,
    since date,
    until date,
    differences bigint NOT NULL
);

CREATE INDEX IF NOT EXISTS verifications_verified_at ON rollup.verifications (verified_at);

COMMENT ON TABLE rollup.verifications IS
    'What has been compared with the raw events in the last 90 days, and how many differences there were.';
COMMENT ON COLUMN rollup.verifications.id IS
    'The order of verifications.';
COMMENT ON COLUMN rollup.verifications.verified_at IS
    'When it was compared.';
COMMENT ON COLUMN rollup.verifications.verified_by IS
    'The role that asked for it.';
COMMENT ON COLUMN rollup.verifications.account_id IS
    'The account; NULL: every one.';
COMMENT ON COLUMN rollup.verifications.since IS
    'The first of the days that were compared; NULL: no bound.';
COMMENT ON COLUMN rollup.verifications.until IS
    'The day after the last of them; NULL: no bound.';
COMMENT ON COLUMN rollup.verifications.differences IS
    'How many rollup keys differed, on days that were called covered; 0: all was well.';

CREATE TABLE IF NOT EXISTS rollup.deployments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deployed_at timestamptz NOT NULL DEFAULT now(),
    deployed_by text NOT NULL DEFAULT current_user,
    version text NOT NULL,
    registry_digest text NOT NULL,
    counting jsonb NOT NULL,
    changes text[] NOT NULL,
    definitions jsonb NOT NULL
);

COMMENT ON TABLE rollup.deployments IS
    'Every deployment that changed something.';
COMMENT ON COLUMN rollup.deployments.id IS
    'The order of deployments.';
COMMENT ON COLUMN rollup.deployments.deployed_at IS
    'When it was deployed.';
COMMENT ON COLUMN rollup.deployments.deployed_by IS
    'The role that deployed it.';
COMMENT ON COLUMN rollup.deployments.version IS
    'The version of reporting-rollups.';
COMMENT ON COLUMN rollup.deployments.registry_digest IS
    'SHA-256 of all that the registry says.';
COMMENT ON COLUMN rollup.deployments.counting IS
    'SHA-256 of what it says of counting, in all and per metric and dimension: what changes here has to be backfilled.';
COMMENT ON COLUMN rollup.deployments.changes IS
    'The objects that it created, replaced or dropped.';
COMMENT ON COLUMN rollup.deployments.definitions IS
    'For each function and view, SHA-256 of the text that the catalog kept of it; another text is of another hand.';
