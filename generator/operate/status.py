"""What is installed, and how each account stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import ProgrammingError
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import dict_row

from generator.deploy import columns, gaps, ownership, partitions, requirements, tables
from generator.deploy.catalog import Object, compare
from generator.deploy.shapes import known
from generator.operate import unrestored
from generator.registry.counting import LONGEST_ID
from generator.render.objects import render

if TYPE_CHECKING:
    from datetime import datetime

    from generator.database.connection import Connection
    from generator.deploy.columns import Changed
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


_PENDING = """
SELECT count(*), coalesce(max(p.id) - min(p.id) + 1, 0)
FROM rollup.pending_events p
"""

_VERIFIED = """
SELECT
    max(v.verified_at),
    count(*) FILTER (WHERE v.verified_at > now() - interval '1 day'),
    (SELECT coalesce(sum(d.differences), 0)::bigint FROM rollup.standing_differences d)
FROM rollup.verifications v
"""

_IN_ORDER = ("covered", "off")
"""The states of an account about which there is nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """How many events are to be folded, and over how many ids they are spread."""

    events: int
    ids: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """When something was last verified, how often in the last day, and what is wrong now."""

    at: datetime | None
    verifications: int
    differences: int
    """Those that were found and that no later verification of the same days has seen gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state of a database: the last deployment, our objects and tables, the accounts."""

    deployment: dict[str, Any] | None = None
    registry_digest: str
    objects: list[Object] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    problems: list[str]
    """What is wrong with the tables and with rights on them; all but `gone`, `deploy` refuses."""
    gone: list[str] = field(default_factory=list)
    """Those of the problems that are about events that are gone, which totals still have."""
    changed_columns: tuple[Changed, ...] = ()
    """Columns that are no longer as the last deployment found them: no day is covered."""
    longest_id: int | None = None
    """How many bytes of an id count, where ids are text."""
    accounts: list[dict[str, Any]] = field(default_factory=list)
    incomplete: tuple[str, ...] = ()
    """Metrics and dimensions whose history is still to be backfilled somewhere."""
    verified: Verified | None = None
    pending: Pending | None = None
    """None where the accounts cannot be shown, either: rollup.status is not as rendered."""

    @property
    def is_registry_deployed(self) -> bool:
        """Whether the last deployment was of this registry."""
        return (self.deployment or {}).get("registry_digest") == self.registry_digest

    @property
    def uncovered(self) -> list[dict[str, Any]]:
        """The accounts that are not covered on all days, or have no time zone that is known."""
        return [one for one in self.accounts if one["state"] not in _IN_ORDER]

    @property
    def is_current(self) -> bool:
        """Whether everything is as the registry renders it, on tables that `deploy` accepts."""
        return (
            self.is_registry_deployed
            and not self.lacking
            and not self.problems
            and not self.changed_columns
            and all(one.status == "CURRENT" or one.is_out_of_reach for one in self.objects)
        )


def inspect(session: Connection, registry: Registry) -> Report:
    """Read the state of a database; nothing is changed.

    Where what is ours cannot be read because it is gone or given away, that alone is reported.
    """
    problems = requirements.problems(session, registry)
    try:
        return _inspect(session, registry, problems)
    except ProgrammingError as error:
        is_refused = isinstance(error, InsufficientPrivilege)
        if not problems or (is_refused and not _is_given_away(session, registry)):
            raise
        return Report(registry_digest=registry.digest, problems=problems)


def _is_given_away(session: Connection, registry: Registry) -> bool:
    shapes, _ = known(session, registry)
    return bool(ownership.problems(session, registry, shapes))


def _inspect(session: Connection, registry: Registry, problems: list[str]) -> Report:
    objects = compare(session, render(registry, tables.survey(session, registry)))
    lacking = [one.name for one in tables.lacking(session, registry)]
    is_able = not any(
        one.name in partitions.FUNCTIONS and one.status != "CURRENT" for one in objects
    )
    gone = [str(one) for one in partitions.gone(session)] if is_able else []
    if _has("rollup.coverage", objects):
        gone += unrestored.problems(session, registry)
    deployment: dict[str, Any] | None = None
    accounts: list[dict[str, Any]] = []
    pending: Pending | None = None
    verified: Verified | None = None
    incomplete: tuple[str, ...] = ()
    with session.cursor(row_factory=dict_row) as cursor:
        if session.execute(_IS_DEPLOYED).fetchone() == (True,):
            deployment = cursor.execute(_DEPLOYMENT).fetchone()
        if _has("rollup.status", objects):
            accounts = cursor.execute(_ACCOUNTS).fetchall()
            events, ids = session.execute(_PENDING).fetchone() or (0, 0)
            pending = Pending(events=events, ids=ids)
            incomplete = tuple(gaps.incomplete(session))
        if _has("rollup.standing_differences", objects):
            at, verifications, differences = session.execute(_VERIFIED).fetchone() or (None, 0, 0)
            verified = Verified(at=at, verifications=verifications, differences=differences)
    return Report(
        deployment=deployment,
        registry_digest=registry.digest,
        objects=objects,
        lacking=lacking,
        problems=[*problems, *gone],
        longest_id=LONGEST_ID if registry.rollups.id_type == "text" else None,
        gone=gone,
        changed_columns=columns.changed(session) if _has(columns.VIEW, objects) else (),
        accounts=accounts,
        incomplete=incomplete,
        verified=verified,
        pending=pending,
    )


def _has(view: str, objects: list[Object]) -> bool:
    return any(one.name == view and one.status == "CURRENT" for one in objects)
