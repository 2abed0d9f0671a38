"""The steps of a deployment that replace what is there, each run in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.deploy import script
from generator.deploy.changes import Changes, compute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.database.connection import Connection
    from generator.deploy.statements import Statement
    from generator.registry import Registry
    from generator.render.objects import Rendered


@dataclass(frozen=True, slots=True)
class Steps:
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
