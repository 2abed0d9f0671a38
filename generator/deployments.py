"""What has been deployed, as written down in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from generator import __version__
from generator.counting import Counting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.database import Connection
    from generator.registry import Registry

_IS_THERE = "SELECT to_regclass('rollup.deployments') IS NOT NULL"

_LAST = """
SELECT d.registry_digest, d.counting, d.definitions
FROM rollup.deployments d
ORDER BY d.id DESC
LIMIT 1
"""

_RECORD = """
INSERT INTO rollup.deployments (
    version,
    registry_digest,
    counting,
    changes,
    definitions
)
VALUES (%s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The last deployment: of which registry, and the fingerprints of what it has made."""

    registry_digest: str
    counting: Counting
    definitions: dict[str, str]
    """By kind and name: see generator.catalog."""


def last(session: Connection) -> Deployed | None:
    """Read the last deployment that changed something, if there was any."""
    if session.execute(_IS_THERE).fetchone() != (True,):
        return None
    row = session.execute(_LAST).fetchone()
    if row is None:
        return None
    registry_digest, counting, definitions = row
    return Deployed(
        registry_digest=registry_digest,
        counting=Counting.of_json(counting),
        definitions=definitions,
    )


def record(
    session: Connection, registry: Registry, changes: Sequence[str], definitions: dict[str, str]
) -> None:
    """Write down a deployment: what it changed, and the fingerprints of all that is there now."""
    counting = Jsonb(registry.counting.as_json())
    session.execute(
        _RECORD, (__version__, registry.digest, counting, list(changes), Jsonb(definitions))
    )
