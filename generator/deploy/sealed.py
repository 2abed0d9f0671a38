"""What is sealed, kept beside the rollup table while nothing is deployed.

The totals of purged days are all that is left of their events. A deployment that did not know which
days these are would rebuild them from what is left, and delete them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.deploy.statements import Statement
from generator.quoting import Sql, qualified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.database.connection import Connection
    from generator.registry import Registry

_LONGEST = 63 - len("_sealed_members")

# Tables of the rollup table's owner alone: another role could seal days to keep wrong totals there.
_IS_KEPT = """
SELECT count(*) = 2
FROM pg_class c
LEFT JOIN pg_class r ON r.oid = to_regclass(%s)
WHERE c.oid IN (to_regclass(%s), to_regclass(%s))
AND c.relkind = 'r'
AND c.relowner = coalesce(r.relowner, (SELECT o.oid FROM pg_roles o WHERE o.rolname = current_user))
"""

_KEEP = """
CREATE TABLE {sealed} AS
SELECT
    a.account_id,
    a.timezone,
    a.sealed AS days,
    NULL::text AS metric,
    NULL::text AS dimension_type
FROM rollup.accounts a
WHERE NOT isempty(a.sealed)
UNION ALL
SELECT g.account_id, a.timezone, g.days * a.sealed, g.metric, g.dimension_type
FROM rollup.gaps g
JOIN rollup.accounts a ON a.account_id = g.account_id
WHERE NOT isempty(g.days * a.sealed);

ALTER TABLE {sealed} REPLICA IDENTITY FULL;

CREATE TABLE {members} AS
SELECT n.*
FROM rollup.distinct_members n
JOIN rollup.accounts a ON a.account_id = n.account_id
WHERE a.sealed @> n.date;

ALTER TABLE {members} REPLICA IDENTITY FULL;

COMMENT ON TABLE {sealed} IS
    'Days whose raw events are purged: the next deployment of reporting-rollups takes them over.';
COMMENT ON COLUMN {sealed}.account_id IS
    'The account.';
COMMENT ON COLUMN {sealed}.timezone IS
    'The time zone whose days these are.';
COMMENT ON COLUMN {sealed}.days IS
    'The days.';
COMMENT ON COLUMN {sealed}.metric IS
    'The metric that is missing on these days; NULL: see dimension_type.';
COMMENT ON COLUMN {sealed}.dimension_type IS
    'The dimension that is missing on these days; both NULL: the days are sealed.';
COMMENT ON TABLE {members} IS
    'What was in rollup.distinct_members on those days. The next deployment takes this over, too.';
"""

_TAKE_OVER = """
INSERT INTO rollup.accounts AS a (account_id, timezone, wanted, sealed)
SELECT k.account_id, k.timezone, k.timezone, k.days
FROM {sealed} k
WHERE num_nonnulls(k.metric, k.dimension_type) = 0
ORDER BY k.account_id
ON CONFLICT (account_id) DO UPDATE
SET
    sealed = a.sealed + excluded.sealed,
    covered = CASE WHEN a.sealed @> excluded.sealed THEN a.covered ELSE '{{}}' END
"""

_TAKE_OVER_GAPS = """
INSERT INTO rollup.gaps (account_id, metric, dimension_type, days)
SELECT k.account_id, k.metric, k.dimension_type, k.days
FROM {sealed} k
WHERE num_nonnulls(k.metric, k.dimension_type) = 1
"""

_TAKE_OVER_MEMBERS = """
INSERT INTO rollup.distinct_members
    (account_id, date, dimension_type, dimension_id, metric, member, occurrences)
SELECT n.account_id, n.date, n.dimension_type, n.dimension_id, n.metric, n.member, n.occurrences
FROM {members} n
ON CONFLICT DO NOTHING
"""

_DROP = "DROP TABLE IF EXISTS {sealed}, {members}"


def names(registry: Registry) -> tuple[Sql, Sql]:
    """Name the table of what is sealed and that of the memberships of these days, quoted."""
    rollups = registry.rollups
    stem = rollups.table.encode()[:_LONGEST].decode(errors="ignore")
    return (
        qualified(rollups.schema, f"{stem}_sealed"),
        qualified(rollups.schema, f"{stem}_sealed_members"),
    )


def are_kept(session: Connection, registry: Registry) -> bool:
    """Tell whether an earlier undeployment has left days that are sealed."""
    rollups = qualified(registry.rollups.schema, registry.rollups.table)
    row = session.execute(_IS_KEPT, (rollups, *names(registry))).fetchone()
    return row == (True,)


def keep(session: Connection, registry: Registry) -> None:
    """Write down beside the rollup table what is sealed, before the schema is dropped."""
    drop(session, registry)
    session.execute(_formatted(_KEEP, registry))


def drop(session: Connection, registry: Registry) -> None:
    """Drop what an earlier undeployment has left."""
    session.execute(_formatted(_DROP, registry))


def taken_over(registry: Registry) -> Iterator[Statement]:
    """Seal again what was sealed, before anything can be rebuilt."""
    for text in (_TAKE_OVER, _TAKE_OVER_GAPS, _TAKE_OVER_MEMBERS, _DROP):
        yield Statement(text=_formatted(text, registry))


def dropped(registry: Registry) -> Statement:
    """Forget what was sealed: the totals themselves are gone."""
    return Statement(text=_formatted(_DROP, registry))


def _formatted(text: str, registry: Registry) -> Sql:
    sealed, members = names(registry)
    return Sql(text.format(sealed=sealed, members=members))
