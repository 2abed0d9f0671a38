-- The partitions of the events table as of the last deployment, so that a dropped partition is noticed.

CREATE TABLE IF NOT EXISTS rollup.partitions (
    source oid NOT NULL,
    relation oid NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    since timestamptz,
    until timestamptz,
    PRIMARY KEY (source, relation)
);

COMMENT ON TABLE rollup.partitions IS
    'The partitions of the events table that hold events, as of the last deployment, and those that are gone since with their events: see rollup.gone_partitions().';
COMMENT ON COLUMN rollup.partitions.source IS
    'The oid of the events table; where it is another now, as after a restore, partitions are known by their names.';
COMMENT ON COLUMN rollup.partitions.relation IS
    'The oid of the partition.';
COMMENT ON COLUMN rollup.partitions.schema_name IS
    'The schema of the partition.';
COMMENT ON COLUMN rollup.partitions.table_name IS
    'The name of the partition.';
COMMENT ON COLUMN rollup.partitions.since IS
    'The first moment that the partition has room for; NULL: no bound, or none that is known.';
COMMENT ON COLUMN rollup.partitions.until IS
    'The moment from which on it has no room; NULL: no bound, or none that is known.';
