"""Deploying: migrations and tables first, then functions, views and triggers in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.database.connection import MINIMUM_VERSION, Connection, connect
from generator.database.patience import Patience
from generator.deploy import conversion, gaps, partitions, requirements, rights, script, tables
from generator.deploy.changes import Changes, compute
from generator.deploy.migrate import migrate
from generator.deploy.turns import take_turn
from generator.errors import DatabaseError
from generator.render.objects import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from generator.deploy.statements import Statement
    from generator.registry import Registry
    from generator.render.objects import Rendered


_UNKNOWN_ZONES = """
SELECT a.account_id, a.setting
FROM rollup.accounts a
WHERE a.wanted IS NULL
AND a.setting IS NOT NULL
AND rollup.canonical_timezone(a.setting) IS NULL  -- else it is switched off
ORDER BY a.account_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a deployment did: migrations applied, objects changed, accounts whose zone it took."""

    migrations: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    coverage_voided: bool = False
    accounts_followed: int = 0
    unknown_zones: tuple[tuple[int, str], ...] = ()
    """Accounts that take no part, because the server does not know their time zone, and that."""
    incomplete: tuple[str, ...] = ()
    """Metrics and dimensions whose history is still to be backfilled."""
    retired: tuple[str, ...] = ()
    """Metrics and dimensions that are no longer counted, and whose rows are kept."""
    rows_deleted: int = 0
    gone: tuple[str, ...] = ()
    """What there is to say of each partition that is gone with its events."""


def deploy(
    dsn: str,
    registry: Registry,
    *,
    delete_removed: bool = False,
    even_purged: bool = False,
    patience: Patience | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Deployment:
    """Make a database keep the rollups of a registry; where it does so already, change nothing.

    Everything is checked before anything is changed, and deployments take turns. However one ends,
    it leaves the old triggers and functions or the new ones. A lock that could hold up writers is
    asked for with a timeout, again and again, as `patience` says; `report` is told of it.
    With `delete_removed`, rows of what the registry no longer counts are deleted in the end; those
    of purged days only with `even_purged`.
    """
    patience = patience or Patience()
    with connect(dsn) as session:
        take_turn(session, patience, report)
        check(session, registry)
        migrations = migrate(session, dsn)
        steps = _Steps(session, registry, render(registry, tables.survey(session, registry)))
        made, emptied = patience.run(session, steps.make_tables, report)
        changes, voided = patience.run(session, lambda: steps.replace(made), report)
        followed = patience.run(session, steps.follow_accounts, report)
        deleted = 0
        if delete_removed:
            deleted = gaps.delete_retired(session, registry, even_purged=even_purged)
        return Deployment(
            migrations=tuple(migrations),
            changes=(*made, *changes),
            coverage_voided=emptied or voided,
            accounts_followed=followed,
            unknown_zones=tuple(session.execute(_UNKNOWN_ZONES).fetchall()),
            incomplete=tuple(gaps.incomplete(session)),
            retired=tuple(gaps.retired(session)),
            rows_deleted=deleted,
            gone=tuple(map(str, partitions.gone(session))),
        )


def check(session: Connection, registry: Registry) -> None:
    """Raise DatabaseError where the server, the tables or the role are not such as are needed.

    A database that a newer version has deployed is not touched either.
    """
    check_server(session)
    conversion.check(session)
    requirements.check(session, registry)
    rights.check(session, registry)


def check_server(session: Connection) -> None:
    """Raise DatabaseError where the server is too old or cannot be written to."""
    version = session.info.server_version
    if version < MINIMUM_VERSION * 10000:
        raise DatabaseError(
            f"the server is PostgreSQL {version // 10000}, which has no multiranges",
            hint=f"use PostgreSQL {MINIMUM_VERSION} or newer",
        )
    if session.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
        raise DatabaseError("the server is a standby", hint="deploy to its primary")


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps of a deployment, each to be run in a transaction of its own."""

    session: Connection
    registry: Registry
    rendered: tuple[Rendered, ...]

    def make_tables(self) -> tuple[tuple[str, ...], bool]:
        """Create or complete tables: see `script.of_tables`.

        Returns what it made, and whether days were covered that now are not.
        """
        changes = self._changes()
        voided = self._run(script.of_tables(changes))
        return tuple(map(str, changes.tables)), voided

    def replace(self, made: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Bring functions, views and triggers up to date: see `script.of_objects`.

        Returns what it changed, and whether days were covered that now are not.
        """
        changes = self._changes()
        voided = self._run(script.of_objects(changes, made))
        return changes.described, voided

    def follow_accounts(self) -> int:
        """Take over the zones that the application keeps; return how many differed."""
        row = None
        for statement in script.of_accounts(self.registry):
            row = statement.run(self.session).fetchone()
        return int(row[0]) if row else 0

    def _changes(self) -> Changes:
        return compute(self.session, self.registry, self.rendered)

    def _run(self, statements: Iterable[Statement]) -> bool:
        """Run statements; tell whether days were covered that now are not."""
        voided = False
        for statement in statements:
            rows = statement.run(self.session).rowcount
            voided |= statement.why == script.VOID_COVERAGE.why and rows > 0
        return voided
