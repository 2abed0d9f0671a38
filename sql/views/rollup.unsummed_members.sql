CREATE OR REPLACE VIEW rollup.unsummed_members AS
SELECT n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member, n.occurrences
FROM rollup.distinct_members n
UNION ALL
SELECT n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member, n.occurrences
FROM rollup.pending_members n;

COMMENT ON VIEW rollup.unsummed_members IS
    'Members with all that is known of them, what is recorded and what is pending; their sums are exact in every snapshot on covered days.';
