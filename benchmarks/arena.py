"""Where contestants meet: databases that are alike but for what keeps their rollups."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.errors import BenchmarkError
from benchmarks.measurement import take_turns
from benchmarks.statements import REFERENCE, execute, named
from generator.database import Connection, connect
from generator.deploy import deploy
from generator.embedded import EmbeddedServer
from generator.registry import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.measurement import Rounds
    from benchmarks.scale import Load, Scale

SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "synchronous_commit": "off",
    "full_page_writes": "on",
    "timezone": "UTC",
}
"""Of the embedded server, which as an ephemeral one also has fsync off."""

NO_TRIGGER = "no trigger"
ROLLUPS = "rollups"
APPENDING = "append mode"
PLAIN_UPSERT = "plain upsert"

_INLINE = load()
_REGISTRIES = {
    ROLLUPS: _INLINE,
    APPENDING: replace(_INLINE, rollups=replace(_INLINE.rollups, write_mode="append")),
}

_TABLES = """
SELECT t.schemaname, t.tablename
FROM pg_tables t
WHERE t.schemaname IN ('public', 'rollup')
"""

_DRIFT = "SELECT count(*) FROM rollup.drift()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """A server to measure on, where databases come and go; `dsn` is one of its databases."""

    dsn: str
    scale: Scale
    report: Callable[[str], None] = lambda line: None
    _pasts: dict[Load | None, str] = field(default_factory=dict)
    _leftovers: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *error: object) -> None:
        self._leftovers.close()

    @contextmanager
    def contest(self, past: Load | None, *contestants: str) -> Iterator[dict[str, str]]:
        """Give each contestant a database, all with the same past, for the time of a contest.

        A contest that went well ends with a comparison of the rollups with the raw events.
        """
        with ExitStack() as stack:
            dsns: dict[str, str] = {}
            for name in contestants:
                template = self.past(past)
                self.report(f"a database for: {name}")
                dsns[name] = self._create(stack, template)
                _install(name, dsns[name])
            yield dsns
            for name in _REGISTRIES.keys() & dsns.keys():
                self.report(f"comparing the rollups with the raw events: {name}")
                _expect_no_drift(dsns[name])

    def take_turns(
        self, what: str, contestants: Mapping[str, Callable[[], float]], *, are_long: bool = False
    ) -> Rounds:
        """Let contestants take turns, for as many rounds as the scale says."""
        rounds = self.scale.long_rounds if are_long else self.scale.rounds
        return take_turns(rounds, contestants, lambda turn: self.report(f"{what}: {turn}"))

    def copied(self, past: Load) -> bytes:
        """Return events in the format of COPY, without their ids."""
        dsn = make_conninfo(self.dsn, dbname=self.past(past))
        with connect(dsn) as session, session.cursor().copy(named("copy-out")) as copying:
            return b"".join(bytes(block) for block in copying)

    def past(self, past: Load | None) -> str:
        """Return the name of a database with the reference's tables, accounts and past events."""
        if past not in self._pasts:
            dsn = self._create(self._leftovers, "template0")
            with connect(dsn) as session:
                session.execute(REFERENCE.read_bytes())
                execute(session, "accounts")
                if past is not None:
                    self.report(f"making {past.events:,} events")
                    _make_events(session, past)
                _vacuum(session)
                self._pasts[past] = session.info.dbname
        return self._pasts[past]

    def _create(self, stack: ExitStack, template: str) -> str:
        name = f"rollups_benchmark_{secrets.token_hex(4)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with connect(self.dsn) as session:
            try:
                session.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
            except psycopg.errors.InsufficientPrivilege as error:
                raise BenchmarkError(
                    f"cannot make a scratch database: {error}",
                    hint="use a role with CREATEDB, or leave out --database-url",
                ) from error
        stack.callback(self._drop, name)
        return make_conninfo(self.dsn, dbname=name)

    def _drop(self, name: str) -> None:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with connect(self.dsn) as session:
            session.execute(drop.format(sql.Identifier(name)))


@contextmanager
def server(database_url: str | None) -> Iterator[str]:
    """Give the connection string of the server to measure on, by default an embedded one."""
    if database_url is not None:
        yield database_url
        return
    with EmbeddedServer(ephemeral=True, settings=SETTINGS) as embedded:
        yield embedded.dsn()


def tidy(dsn: str) -> None:
    """Even out what earlier turns have left behind, as far as the role may."""
    with connect(dsn) as session:
        _vacuum(session)
        try:
            session.execute("CHECKPOINT")
        except psycopg.errors.InsufficientPrivilege:
            return


def _vacuum(session: Connection) -> None:
    """Vacuum and analyze all but the catalogs, which takes longer than many a turn."""
    tables = [sql.Identifier(*names) for names in session.execute(_TABLES).fetchall()]
    session.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.SQL(", ").join(tables)))


def _make_events(session: Connection, past: Load) -> None:
    """Insert events, the same every time but for the day on which they end."""
    session.execute("SELECT setseed(0.5)")
    execute(session, "events", events=past.events, accounts=past.accounts, days=past.days)


def _install(contestant: str, dsn: str) -> None:
    """Give a database what keeps its rollups, and let that catch up with the past."""
    if contestant in _REGISTRIES:
        deploy(dsn, _REGISTRIES[contestant])
        with connect(dsn) as session:
            session.execute("SELECT rollup.rebuild()")
    elif contestant == PLAIN_UPSERT:
        with connect(dsn) as session:
            execute(session, "plain-upsert")
    tidy(dsn)


def _expect_no_drift(dsn: str) -> None:
    with connect(dsn) as session:
        [drifted] = session.execute(_DRIFT).fetchone() or (0,)
    if drifted:
        raise BenchmarkError(
            f"{drifted} rollup rows differ from the raw events after the benchmark",
            hint="this is a bug; the numbers of wrong rollups are worth nothing",
        )
