"""The steps of a deployment that replace what is there, each run in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from generator import deployments, gaps, tables
from generator.blockers import waiting_for
from generator.catalog import Object, Status, compare, definitions
from generator.counting import Difference, is_explained
from generator.counting import compare as compare_counting
from generator.locks import ADD_KEY, LOCK_CLASS, SLOTS
from generator.quoting import qualified

if TYPE_CHECKING:
    from generator.database import Connection
    from generator.registry import Registry
    from generator.render import Rendered

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

# Waited for: what follow_accounts() cannot have at once, it leaves uncovered.
_LOCK_ACCOUNTS = """
SELECT pg_advisory_xact_lock(%(class)s, %(first)s + i)
FROM generate_series(0, %(slots)s - 1) i
"""

_VOID_COVERAGE = "UPDATE rollup.accounts SET covered = '{}' WHERE covered <> '{}'"


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a deployment, each to be run in a transaction of its own."""

    session: Connection
    registry: Registry
    rendered: tuple[Rendered, ...]

    def make_tables(self) -> tuple[tuple[str, ...], bool]:
        """Create the tables of ours that are missing, and add what others lack.

        Returns what it made, and whether days were covered that now are not.
        """
        lacking = {one.table: one for one in tables.lacking(self.session, self.registry)}
        for one in self.rendered:
            if one.name in lacking:
                with waiting_for("ACCESS EXCLUSIVE", one.name):
                    self.session.execute(one.text)
        made = tuple(f"create or complete table {name}" for name in lacking)
        if not made:
            return (), False
        for statement in tables.default_settings(self.session, self.registry):
            self.session.execute(statement)
        difference = self._difference()
        has_lost = any(
            not (one.exists and one.columns)
            or not all(is_explained(difference, self.registry, column) for column in one.columns)
            for one in lacking.values()
        )
        return made, has_lost and self._void_coverage()

    def _difference(self) -> Difference:
        """Tell what is counted otherwise than by the last deployment; of the first, nothing is."""
        last = deployments.last(self.session)
        return compare_counting(last.counting, self.registry.counting) if last else Difference()

    def replace(self, made: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
        """Bring functions, views and triggers up to date; triggers last, for their table's lock.

        The lock makes sure that no transaction goes on that has counted by the old functions.
        Writes down what it and the step before it did, if anything. Returns what it changed, and
        whether days were covered that now are not.
        """
        stale = [one for one in compare(self.session, self.rendered) if one.status != "CURRENT"]
        last = deployments.last(self.session)
        if not stale and not made and last and last.registry_digest == self.registry.digest:
            return (), False
        for one in stale:
            if one.kind != "trigger":
                self._create(one)
        difference = self._difference()
        has_miscounted = difference.is_everything or any(map(_has_miscounted, stale))
        if has_miscounted or difference:
            self._wait_for_rebuilds()
        self._lock(stale)
        for one in stale:
            if one.kind == "trigger":
                self._create(one)
        changes = tuple(f"{_VERBS[one.status]} {one}" for one in stale)
        now = definitions(self.session, self.rendered)
        deployments.record(self.session, self.registry, [*made, *changes], now)
        self._drop_leftovers()
        gaps.note(self.session, difference)
        return changes, has_miscounted and self._void_coverage()

    def follow_accounts(self) -> int:
        """Take over the zones that the application keeps already; the trigger follows the rest."""
        if self.registry.accounts is None:
            return 0
        with waiting_for("ROWS", "rollup.accounts"):
            keys = {"class": LOCK_CLASS, "first": ADD_KEY, "slots": SLOTS}
            self.session.execute(_LOCK_ACCOUNTS, keys)
            row = self.session.execute("SELECT rollup.follow_accounts()").fetchone()
        return int(row[0]) if row else 0

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
            with waiting_for("ACCESS EXCLUSIVE", one.name), self.session.transaction():
                self.session.execute(one.rendered.text)
        except (
            psycopg.errors.InvalidFunctionDefinition,
            psycopg.errors.InvalidTableDefinition,
        ):
            self._drop(one)
            self.session.execute(one.rendered.text)

    def _drop(self, one: Object) -> None:
        with waiting_for("ACCESS EXCLUSIVE", one.table or one.name):
            for name in one.leftovers:
                self.session.execute(f"DROP {name}")

    def _is_dropped(self, one: Object) -> bool:
        """Drop what is left of an object, unless something depends on it."""
        try:
            with self.session.transaction():
                self._drop(one)
        except psycopg.errors.DependentObjectsStillExist:
            return False
        return True

    def _drop_leftovers(self) -> None:
        """Drop what is ours and no longer rendered, in whatever order its dependencies allow.

        What a user's own object depends on is an error of the database's, which names both.
        """
        left = [one for one in compare(self.session, self.rendered) if one.leftovers]
        while left:
            in_use = [one for one in left if not self._is_dropped(one)]
            if len(in_use) == len(left):
                self._drop(in_use[0])
            left = in_use

    def _lock(self, stale: list[Object]) -> None:
        """Wait for transactions that write to the tables whose triggers or functions change.

        The source table first and then its partitions, as its writers do.
        """
        source = self.registry.source
        events = tables.partitions(self.session, self.registry)
        events = (qualified(source.schema, source.table), *events)
        touched = {one.table for one in stale if one.table}
        if any(one.kind == "function" for one in stale):
            touched.update(events)
        for name in sorted(touched, key=lambda name: (name != events[0], name)):
            with waiting_for("SHARE ROW EXCLUSIVE", name):
                self.session.execute(f"LOCK TABLE ONLY {name} IN SHARE ROW EXCLUSIVE MODE")

    def _void_coverage(self) -> bool:
        """Call no day covered any more; tell whether any was."""
        with waiting_for("ROWS", "rollup.accounts"):
            return self.session.execute(_VOID_COVERAGE).rowcount > 0

    def _wait_for_rebuilds(self) -> None:
        """Hold all slots, so that no rebuild covers days by what it saw before.

        Writers append meanwhile, so this comes before the lock on their table: however long a
        rebuild takes, they do not wait for it behind us.
        """
        with waiting_for("SLOTS"):
            self.session.execute("SELECT rollup.lock_record(NULL)")


def _has_miscounted(one: Object) -> bool:
    """Tell whether events may have come or gone without being counted, or with being miscounted.

    A trigger was off, or is left on a table that is no longer a partition; or somebody else has
    replaced a function.
    """
    return one.kind == "trigger" or one.is_foreign


def _altered(type_: Rendered, session: Connection) -> str:
    """Write the statement that gives an existing composite type the attributes as rendered."""
    [drops] = session.execute(_ATTRIBUTES, (type_.name,)).fetchone() or ("",)
    attributes = type_.definition.split("(\n", 1)[1].rsplit("\n)", 1)[0].split(",\n")
    adds = ", ".join(f"ADD ATTRIBUTE {attribute.strip()}" for attribute in attributes)
    return f"ALTER TYPE {type_.name} {drops}, {adds}"
