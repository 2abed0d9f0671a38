CREATE TABLE IF NOT EXISTS rollup.distinct_members (
    account_id bigint NOT NULL,
    date date NOT NULL,
    dimension_type text NOT NULL,
    dimension_id bigint NOT NULL,
    metric text NOT NULL,
    member bigint NOT NULL,
    occurrences bigint NOT NULL,
    PRIMARY KEY (account_id, dimension_type, metric, date, dimension_id, member)
) WITH (fillfactor = 80);

COMMENT ON TABLE rollup.distinct_members IS
    'What a metric has counted on a day, each with how often: what makes distinct counts additive.';

COMMENT ON COLUMN rollup.distinct_members.account_id IS
    'Part of the rollup key.';

COMMENT ON COLUMN rollup.distinct_members.date IS
    'Part of the rollup key: the day in the zone of the account.';

COMMENT ON COLUMN rollup.distinct_members.dimension_type IS
    'Part of the rollup key.';

COMMENT ON COLUMN rollup.distinct_members.dimension_id IS
    'Part of the rollup key.';

COMMENT ON COLUMN rollup.distinct_members.metric IS
    'Part of the rollup key.';

COMMENT ON COLUMN rollup.distinct_members.member IS
    'What was counted: a value of the column that the registry names.';

COMMENT ON COLUMN rollup.distinct_members.occurrences IS
    'How many events counted it, as recorded. The member counts while this is positive; it is negative while a deletion is recorded and its insertion is still pending.';
