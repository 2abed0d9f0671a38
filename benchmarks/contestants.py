"""The contestants: what keeps totals, how it is installed, what it asks of its clients.

`NO_TRIGGER` is the floor. `ROLLUPS` and `APPENDING` are this system, in both of its ways to write.
The others are what one would do without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks.errors import BenchmarkError
from benchmarks.statements import execute, named
from generator.database.connection import connect
from generator.deploy.deploy import deploy
from generator.registry import load

if TYPE_CHECKING:
    from generator.registry import Registry

WRONG = "SELECT count(*) FROM rollup.drift()"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contestant:
    """A way to keep totals; all of its SQL stands in files of the folder `sql`."""

    name: str
    registry: Registry | None = None
    """What this system deploys."""
    is_caught_up: bool = True
    """Whether it has totals of the past when a contest begins."""
    scripts: tuple[str, ...] = ()
    """What else installs it, each file a statement, or some in one transaction."""
    after_event: str = ""
    """What its client does after each transaction of one event, as a script for pgbench."""
    after_batch: str = ""
    """The same after a statement of many events: its totals are up to date only then."""
    reads_everything: bool = False
    """Whether that goes through all events."""
    wrong: str = ""
    """A query that counts its wrong totals, where it can be asked."""
    extension: str = ""
    """What the server must have for it."""
    is_preloaded: bool = False
    """Whether that has to be in shared_preload_libraries."""

    def install(self, dsn: str) -> None:
        """Give a database what keeps its totals, and let that catch up with the past."""
        if self.registry:
            deploy(dsn, self.registry)
        with connect(dsn) as session:
            if self.registry and self.is_caught_up:
                session.execute("SELECT rollup.rebuild()")
            for script in self.scripts:
                execute(session, script)

    def expect_right(self, dsn: str) -> None:
        """Compare its totals with the events; raises BenchmarkError where they differ."""
        if not self.wrong:
            return
        with connect(dsn) as session:
            [wrong] = session.execute(self.wrong).fetchone() or (0,)
        if wrong:
            raise BenchmarkError(
                f"{self.name}: {wrong} totals differ from the raw events after the benchmark",
                hint="this is a bug; the numbers of wrong totals are worth nothing",
            )


INLINE = load()

NO_TRIGGER = Contestant(name="no trigger")
ROLLUPS = Contestant(name="rollups", registry=INLINE, wrong=WRONG)
APPENDING = Contestant(
    name="append mode",
    registry=replace(INLINE, rollups=replace(INLINE.rollups, write_mode="append")),
    wrong=WRONG,
)
DEPLOYED = Contestant(
    name="no totals yet",
    registry=INLINE,
    is_caught_up=False,
    scripts=("bare-rollups",),
)
REFERENCE = Contestant(
    name="Chatwoot's way",
    scripts=("reference-rollups",),
    after_event=named("reference-upsert"),
    after_batch=named("reference-batch-upsert"),
    wrong=named("wrong-counts"),
)
PLAIN_UPSERT = Contestant(
    name="plain upsert",
    scripts=("lean-rollups", "plain-upsert"),
    wrong=named("wrong-counts"),
)
ROW_TRIGGER = Contestant(
    name="row trigger",
    scripts=("lean-rollups", "row-trigger"),
    wrong=named("wrong-counts"),
)
MATERIALIZED_VIEW = Contestant(
    name="materialized view",
    scripts=("materialized-view",),
    after_batch=named("refresh-materialized-view"),
    reads_everything=True,
)
BARE_QUERY = Contestant(
    name="bare query", after_batch=f"{named('compute-totals')};\n", reads_everything=True
)
PG_IVM = Contestant(
    name="pg_ivm",
    scripts=("pg-ivm",),
    wrong=named("wrong-counts"),
    extension="pg_ivm",
)
TIMESCALEDB = Contestant(
    name="TimescaleDB",
    scripts=("timescaledb", "refresh-timescaledb"),
    after_batch=f"{named('refresh-timescaledb')};\n",
    extension="timescaledb",
    is_preloaded=True,
)

OURS = (ROLLUPS, APPENDING)
RIVALS = (PLAIN_UPSERT, ROW_TRIGGER, PG_IVM)
"""Those that are to be behind us wherever more than one writes, or one writes much."""
WRITERS = (NO_TRIGGER, *OURS, REFERENCE, *RIVALS, TIMESCALEDB)
EXTENSIONS = (PG_IVM, TIMESCALEDB)
