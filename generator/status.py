"""What is installed, and how each account stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from generator import tables
from generator.catalog import Object, compare
from generator.render import render

if TYPE_CHECKING:
    from generator.database import Connection
    from generator.registry import Registry

_IS_DEPLOYED = "SELECT to_regclass('rollup.deployments') IS NOT NULL"

_DEPLOYMENT = """
SELECT d.deployed_at, d.deployed_by, d.version, d.registry_digest
FROM rollup.deployments d
ORDER BY d.id DESC
LIMIT 1
"""

_ACCOUNTS = """
SELECT
    s.account_id,
    s.state,
    s.timezone,
    s.wanted,
    s.setting,
    s.covered::text AS covered,
    s.reads_enabled,
    s.pending_events,
    s.rebuilt_at,
    s.verified_at
FROM rollup.status s
ORDER BY s.account_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state of a database: the last deployment, our objects and tables, the accounts."""

    deployment: dict[str, Any] | None
    is_registry_deployed: bool
    objects: list[Object]
    lacking: list[str]
    accounts: list[dict[str, Any]]

    @property
    def is_current(self) -> bool:
        """Whether everything is as the registry renders it."""
        return (
            self.is_registry_deployed
            and not self.lacking
            and all(one.status == "CURRENT" for one in self.objects)
        )


def inspect(session: Connection, registry: Registry) -> Report:
    """Read the state of a database; nothing is changed."""
    objects = compare(session, render(registry, tables.survey(session, registry)))
    lacking = [one.name for one in tables.lacking(session, registry)]
    deployment: dict[str, Any] | None = None
    accounts: list[dict[str, Any]] = []
    with session.cursor(row_factory=dict_row) as cursor:
        if session.execute(_IS_DEPLOYED).fetchone() == (True,):
            deployment = cursor.execute(_DEPLOYMENT).fetchone()
        if _has_status(objects):
            accounts = cursor.execute(_ACCOUNTS).fetchall()
    return Report(
        deployment=deployment,
        is_registry_deployed=(deployment or {}).get("registry_digest") == registry.digest,
        objects=objects,
        lacking=lacking,
        accounts=accounts,
    )


def _has_status(objects: list[Object]) -> bool:
    return any(one.name == "rollup.status" and one.status == "CURRENT" for one in objects)
