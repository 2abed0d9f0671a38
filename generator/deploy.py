"""Deploying: migrations and tables first, then functions, views and triggers in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from generator import __version__, tables
from generator.catalog import Object, Status, compare
from generator.database import MINIMUM_VERSION, Connection, connect
from generator.errors import DatabaseError
from generator.migrate import migrate
from generator.patience import Patience
from generator.quoting import qualified
from generator.render import SLOT_CLASS, Rendered, render

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.registry import Registry

DEPLOY_LOCK = 256
"""The key of the deployers' advisory lock, next to the slots in their class."""

_VERBS: dict[Status, str] = {
    "MISSING": "create",
    "OUTDATED": "replace",
    "DISABLED": "enable",
    "ORPHANED": "drop",
    "CURRENT": "keep",
}

_ATTRIBUTES = """
SELECT string_agg(format('DROP ATTRIBUTE %%I', a.attname), ', ')
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE c.reltype = %s::regtype
AND NOT a.attisdropped
"""

_LAST = """
SELECT d.registry_digest, d.counting_digest
FROM rollup.deployments d
ORDER BY d.id DESC
LIMIT 1
"""

_RECORD = """
INSERT INTO rollup.deployments (version, registry_digest, counting_digest, changes)
VALUES (%s, %s, %s, %s)
"""

_VOID_COVERAGE = "UPDATE rollup.accounts SET covered = '{}' WHERE covered <> '{}'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a deployment did: migrations applied, objects changed, accounts whose zone it took."""

    migrations: tuple[str, ...]
    changes: tuple[str, ...]
    coverage_voided: bool
    accounts_followed: int


def deploy(
    dsn: str,
    registry: Registry,
    *,
    patience: Patience | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Deployment:
    """Make a database keep the rollups of a registry; where it does so already, change nothing.

    Everything is checked before anything is changed, and deployments take turns. However one ends,
    it leaves the old triggers and functions or the new ones. A lock that could hold up writers is
    asked for with a timeout, again and again, as `patience` says; `report` is told of it.
    """
    patience = patience or Patience()
    with connect(dsn) as session:
        check_server(session)
        tables.check(session, registry)
        session.execute("SELECT pg_advisory_lock(%s, %s)", (SLOT_CLASS, DEPLOY_LOCK))
        migrations = migrate(session, dsn)
        step = _Step(session, registry, render(registry, tables.partitions(session, registry)))
        made, emptied = patience.run(session, step.make_tables, report)
        changes, voided = patience.run(session, lambda: step.replace(made), report)
        followed = patience.run(session, step.follow_accounts, report)
        return Deployment(
            migrations=tuple(migrations),
            changes=(*made, *changes),
            coverage_voided=emptied or voided,
            accounts_followed=followed,
        )


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
class _Step:
    """The steps of a deployment, each to be run in a transaction of its own."""

    session: Connection
    registry: Registry
    rendered: tuple[Rendered, ...]

    def make_tables(self) -> tuple[tuple[str, ...], bool]:
        """Create the tables of ours that are missing, and add what others lack.

        Returns what it made, and whether days were covered that now are not.
        """
        lacking = tables.lacking(self.session, self.registry)
        for one in self.rendered:
            if one.name in lacking:
                self.session.execute(one.text)
        made = tuple(f"create or complete table {name}" for name in lacking)
        if not made:
            return (), False
        return made, self.session.execute(_VOID_COVERAGE).rowcount > 0

    def replace(self, made: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Bring functions, views and triggers up to date; triggers last, for their table's lock.

        The lock makes sure that no transaction goes on that has counted by the old functions. Days
        are no longer covered when triggers were off, or when something else is counted now.
        Writes down what it and the step before it did, if anything. Returns what it changed, and
        whether days were covered that now are not.
        """
        stale = [one for one in compare(self.session, self.rendered) if one.status != "CURRENT"]
        last = self.session.execute(_LAST).fetchone()
        is_other = last != (self.registry.digest, self.registry.counting_digest)
        if not stale and not made and not is_other:
            return (), False
        for one in stale:
            if one.kind != "trigger":
                self._create(one)
        self._lock(stale)
        for one in stale:
            if one.kind == "trigger":
                self._create(one)
        self._drop_leftovers()
        voided = False
        if any(map(_was_off, stale)) or (last and last[1] != self.registry.counting_digest):
            voided = self.session.execute(_VOID_COVERAGE).rowcount > 0
        changes = tuple(f"{_VERBS[one.status]} {one}" for one in stale)
        digests = (self.registry.digest, self.registry.counting_digest)
        self.session.execute(_RECORD, (__version__, *digests, [*made, *changes]))
        return changes, voided

    def follow_accounts(self) -> int:
        """Take over the zones that the application keeps already; the trigger follows the rest."""
        if self.registry.accounts is None:
            return 0
        [followed] = self.session.execute("SELECT rollup.follow_accounts()").fetchone() or (0,)
        return int(followed)

    def _create(self, one: Object) -> None:
        """Create or replace an object; where its columns or parameters forbid that, drop it first.

        Grants on it survive a replacement, so that is tried first.
        """
        if one.rendered is None:
            return
        if one.kind == "type" and one.status == "OUTDATED":
            self.session.execute(_altered(one.rendered, self.session))
            return
        try:
            with self.session.transaction():
                self.session.execute(one.rendered.text)
        except (
            psycopg.errors.InvalidFunctionDefinition,
            psycopg.errors.InvalidTableDefinition,
        ):
            self._drop(one)
            self.session.execute(one.rendered.text)

    def _drop(self, one: Object) -> None:
        for name in one.leftovers:
            self.session.execute(f"DROP {name}")

    def _lock(self, stale: list[Object]) -> None:
        """Wait for transactions that write to the tables whose triggers or functions change."""
        touched = {one.table for one in stale if one.table}
        if any(one.kind == "function" for one in stale):
            source = self.registry.source
            touched.add(qualified(source.schema, source.table))
        for table in sorted(touched):
            self.session.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def _drop_leftovers(self) -> None:
        """Drop what is ours and no longer rendered, triggers before their functions."""
        objects = compare(self.session, self.rendered)
        for one in sorted(objects, key=lambda one: one.kind != "trigger"):
            self._drop(one)


def _was_off(one: Object) -> bool:
    """Tell whether events may have come and gone without the trigger."""
    return one.kind == "trigger" and one.status in ("MISSING", "DISABLED", "OUTDATED")


def _altered(type_: Rendered, session: Connection) -> str:
    """Write the statement that gives an existing composite type the attributes as rendered."""
    [drops] = session.execute(_ATTRIBUTES, (type_.name,)).fetchone() or ("",)
    attributes = type_.definition.split("(\n", 1)[1].rsplit("\n)", 1)[0].split(",\n")
    adds = ", ".join(f"ADD ATTRIBUTE {attribute.strip()}" for attribute in attributes)
    return f"ALTER TYPE {type_.name} {drops}, {adds}"
