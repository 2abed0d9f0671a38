"""Deploying: migrations and tables first, then functions, views and triggers in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.database.connection import MINIMUM_VERSION, Connection, connect
from generator.database.patience import Patience
from generator.deploy import gaps, partitions, requirements, rights, tables
from generator.deploy.migrate import migrate
from generator.deploy.steps import Steps
from generator.deploy.turns import take_turn
from generator.errors import DatabaseError
from generator.render.objects import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.registry import Registry


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
        steps = Steps(session, registry, render(registry, tables.survey(session, registry)))
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
    """Raise DatabaseError where the server, the tables or the role are not such as are needed."""
    check_server(session)
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
