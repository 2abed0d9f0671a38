CREATE OR REPLACE VIEW rollup.current_members AS
SELECT
    n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member,
    sum(n.occurrences)::bigint AS occurrences
FROM rollup.unsummed_members n
GROUP BY n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member
HAVING sum(n.occurrences) <> 0;

COMMENT ON VIEW rollup.current_members IS
    'What the distinct metrics have counted on each day, exact in every snapshot on covered days.';
