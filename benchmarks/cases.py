"""All cases, by name, and how they are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from benchmarks import bulk, footprint, growth, history, pgbench, reading, single
from benchmarks.errors import UnfitServerError
from generator.errors import RollupError

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.arena import Arena
    from benchmarks.measurement import Comparison

NO_PGBENCH = "there is no pgbench, neither beside the embedded server nor on the PATH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something that is measured."""

    name: str
    run: Callable[[Arena], list[Comparison]]
    needs_pgbench: bool = False

    @property
    def summary(self) -> str:
        """One line on what it does."""
        return (self.run.__doc__ or "").partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What has come of a case: comparisons or, where there are none, why."""

    case: str
    comparisons: tuple[Comparison, ...] = ()
    skipped: str = ""
    failed: str = ""


CASES = {
    case.name: case
    for case in (
        Case(name="one-row", run=single.one_row, needs_pgbench=True),
        Case(name="durable", run=single.durable, needs_pgbench=True),
        Case(name="hot-account", run=single.hot_account, needs_pgbench=True),
        Case(name="multi-row", run=bulk.multi_row, needs_pgbench=True),
        Case(name="copy", run=bulk.copy),
        Case(name="update-delete", run=single.update_delete, needs_pgbench=True),
        Case(name="irrelevant", run=single.irrelevant, needs_pgbench=True),
        Case(name="old-snapshot", run=single.old_snapshot, needs_pgbench=True),
        Case(name="backfill", run=history.backfill),
        Case(name="rebuild", run=history.rebuild),
        Case(name="reports", run=reading.reports),
        Case(name="growth", run=growth.growth, needs_pgbench=True),
        Case(name="wal", run=footprint.wal, needs_pgbench=True),
        Case(name="storage", run=footprint.storage),
        Case(name="bloat", run=footprint.bloat, needs_pgbench=True),
    )
}


def measure(arena: Arena, case: Case) -> Outcome:
    """Run a case. One that fails, be it the server's fault, keeps no other from being run."""
    if case.needs_pgbench and pgbench.find() is None:
        return Outcome(case=case.name, skipped=NO_PGBENCH)
    try:
        return Outcome(case=case.name, comparisons=tuple(case.run(arena)))
    except UnfitServerError as error:
        return Outcome(case=case.name, skipped=str(error))
    except (RollupError, psycopg.Error) as error:
        return Outcome(case=case.name, failed=" ".join(str(error).split()))
