"""What a change of the registry leaves incomplete, and what it leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.deploy.statements import Statement
from generator.quoting import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.database.connection import Connection
    from generator.registry import Registry
    from generator.registry.counting import Difference

# What is not covered will be rebuilt whole, but for sealed days: their events are gone.
_OPEN = """
INSERT INTO rollup.gaps (account_id, metric, dimension_type, days)
SELECT a.account_id, n.metric, n.dimension_type, a.covered + a.sealed
FROM rollup.accounts a
CROSS JOIN (
    SELECT m.metric, NULL AS dimension_type
    FROM unnest(%(metrics)s::text[]) m (metric)
    UNION ALL
    SELECT NULL, d.dimension_type
    FROM unnest(%(dimensions)s::text[]) d (dimension_type)
) n
WHERE NOT isempty(a.covered + a.sealed)
ORDER BY a.account_id
"""

# A metric that came, went and came again has been without its events in between, too.
_FORGET = """
DELETE FROM rollup.gaps g
WHERE g.metric = ANY (%(metrics)s::text[])
OR g.dimension_type = ANY (%(dimensions)s::text[])
"""

_RETIRE = """
INSERT INTO rollup.retired (metric, dimension_type)
SELECT m.metric, NULL
FROM unnest(%(metrics)s::text[]) m (metric)
UNION ALL
SELECT NULL, d.dimension_type
FROM unnest(%(dimensions)s::text[]) d (dimension_type)
"""

_BRING_BACK = """
DELETE FROM rollup.retired x
WHERE x.metric = ANY (%(metrics)s::text[])
OR x.dimension_type = ANY (%(dimensions)s::text[])
"""

_INCOMPLETE = """
SELECT DISTINCT coalesce('metric ' || g.metric, 'dimension ' || g.dimension_type)
FROM rollup.gaps g
JOIN rollup.accounts a ON a.account_id = g.account_id
WHERE NOT isempty(g.days - a.sealed)
ORDER BY 1
"""

_RETIRED = """
SELECT coalesce('metric ' || x.metric, 'dimension ' || x.dimension_type)
FROM rollup.retired x
ORDER BY 1
"""

_DELETE = """
DELETE FROM {} r
WHERE EXISTS (
    SELECT
    FROM rollup.retired x
    WHERE x.metric = r.metric
    OR x.dimension_type = r.dimension_type
)
AND (
    %s
    OR NOT EXISTS (
        SELECT
        FROM rollup.accounts a
        WHERE a.account_id = r.account_id
        AND a.sealed @> r.date
    )
)
"""

_IS_LEFT = """
SELECT EXISTS (
    SELECT
    FROM {} r
    JOIN rollup.retired x ON x.metric = r.metric OR x.dimension_type = r.dimension_type
)
"""


def of_difference(difference: Difference) -> Iterator[Statement]:
    """Write down which metrics and dimensions are incomplete from now on, and which are retired.

    All slots are held, and no session writes events: what is covered was counted as before.
    """
    if not difference:
        return
    came = {"metrics": [*difference.metrics], "dimensions": [*difference.dimensions]}
    went = {"metrics": [*difference.metrics_gone], "dimensions": [*difference.dimensions_gone]}
    for changed in (came, went):
        yield Statement(text=_FORGET, values=changed)
    yield Statement(text=_OPEN, values=came)
    yield Statement(text=_BRING_BACK, values=came)
    yield Statement(text=_RETIRE, values=went)


def of_losses(registry: Registry) -> Iterator[Statement]:
    """Write down that all metrics are incomplete, where a table of totals was lost.

    That matters for purged days, which no backfill brings back.
    """
    came: dict[str, list[str]] = {
        "metrics": [metric.name for metric in registry.metrics],
        "dimensions": [],
    }
    yield Statement(text=_FORGET, values=came)
    yield Statement(text=_OPEN, values=came)


def incomplete(session: Connection) -> list[str]:
    """List the metrics and dimensions whose history is still to be backfilled somewhere."""
    return [name for [name] in session.execute(_INCOMPLETE)]


def retired(session: Connection) -> list[str]:
    """List the metrics and dimensions whose rows are kept although they are no longer counted."""
    return [name for [name] in session.execute(_RETIRED)]


def delete_retired(session: Connection, registry: Registry, *, even_purged: bool) -> int:
    """Delete the rows of what is retired, of which no writer knows; return how many there were.

    Those of purged days, which nothing brings back, stay unless `even_purged`.
    """
    rollups = qualified(registry.rollups.schema, registry.rollups.table)
    with session.transaction():
        deleted = sum(
            session.execute(_DELETE.format(table), (even_purged,)).rowcount
            for table in (rollups, "rollup.distinct_members")
        )
        if session.execute(_IS_LEFT.format(rollups)).fetchone() != (True,):
            session.execute("DELETE FROM rollup.retired")
    return deleted
