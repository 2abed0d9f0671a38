"""Where contestants meet: databases that are alike but for what keeps their totals."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from benchmarks.contestants import NO_TRIGGER
from benchmarks.errors import BenchmarkError, UnfitServerError
from benchmarks.measurement import take_turns
from benchmarks.servers import DURABLE, server
from benchmarks.statements import REFERENCE_TABLES, execute, named
from generator.database.connection import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from benchmarks.contestants import Contestant
    from benchmarks.measurement import Rounds
    from benchmarks.scale import Load, Scale

PICKED = 200
"""Accounts that there are at least, for pgbench to pick from."""

KEPT = 1_000_000
"""Events up to which a database is kept for the next time, when something is installed in it."""

_TABLES = """
SELECT t.schemaname, t.tablename
FROM pg_tables t
WHERE t.schemaname IN ('public', 'rollup')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """A server to measure on, where databases come and go; `dsn` is one of its databases."""

    dsn: str
    scale: Scale
    is_embedded: bool
    absent: Mapping[Contestant, str] = field(default_factory=dict)
    """Which contestants cannot take part here, and why."""
    report: Callable[[str], None] = lambda line: None
    _templates: dict[tuple[Load | None, Contestant], str] = field(default_factory=dict)
    _leftovers: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *error: object) -> None:
        self._leftovers.close()

    @contextmanager
    def contest(
        self, past: Load | None, *contestants: Contestant
    ) -> Iterator[dict[Contestant, str]]:
        """Give those that are here a database each, all with the same past, for a contest.

        A contest that went well ends with a comparison of their totals with the raw events.
        """
        with ExitStack() as stack:
            dsns = {
                one: stack.enter_context(self.database(past, one))
                for one in contestants
                if one not in self.absent
            }
            yield dsns
            for one, dsn in dsns.items():
                self.report(f"comparing totals with the raw events: {one.name}")
                one.expect_right(dsn)

    @contextmanager
    def database(self, past: Load | None, contestant: Contestant = NO_TRIGGER) -> Iterator[str]:
        """Give one contestant a database with a past, for the time of the block."""
        with ExitStack() as stack:
            self.report(f"a database for: {contestant.name}")
            is_large = past is not None and past.events > KEPT
            # An extension's workers would keep a template busy.
            is_anew = contestant is not NO_TRIGGER and (is_large or bool(contestant.extension))
            dsn = self._create(stack, self._template(past, NO_TRIGGER if is_anew else contestant))
            if is_anew:
                _install(contestant, dsn)
            yield dsn

    @contextmanager
    def durable(self) -> Iterator[Arena]:
        """Give an arena where a commit waits for the disk."""
        if self.is_embedded:
            with (
                server(None, DURABLE) as dsn,
                replace(self, dsn=dsn, _templates={}, _leftovers=ExitStack()) as arena,
            ):
                yield arena
            return
        with connect(self.dsn) as session:
            if session.execute("SHOW fsync").fetchone() == ("off",):
                raise UnfitServerError("the server has fsync off: no commit waits for the disk")
        yield replace(self, dsn=make_conninfo(self.dsn, options="-c synchronous_commit=on"))

    def take_turns(
        self, what: str, contestants: Mapping[str, Callable[[], float]], *, are_long: bool = False
    ) -> Rounds:
        """Let contestants take turns, for as many rounds as the scale says."""
        return take_turns(
            self.scale.long_rounds if are_long else self.scale.rounds,
            contestants,
            lambda turn: self.report(f"{what}: {turn}"),
        )

    def copied(self, past: Load) -> bytes:
        """Return events in the format of COPY, without their ids."""
        with (
            self.database(past) as dsn,
            connect(dsn) as session,
            session.cursor().copy(named("copy-out")) as copying,
        ):
            return b"".join(bytes(block) for block in copying)

    def _template(self, past: Load | None, contestant: Contestant) -> str:
        """Return the name of a database to copy: it has a past, and a contestant installed."""
        if (past, contestant) not in self._templates:
            if contestant is NO_TRIGGER:
                dsn = self._create(self._leftovers, "template0")
                self._make_past(dsn, past)
            else:
                dsn = self._create(self._leftovers, self._template(past, NO_TRIGGER))
                self.report(f"installing: {contestant.name}")
                _install(contestant, dsn)
            self._templates[past, contestant] = self._close(dsn)
        return self._templates[past, contestant]

    def _make_past(self, dsn: str, past: Load | None) -> None:
        """Make Chatwoot's tables, accounts and events: the same, but for their last day."""
        with connect(dsn) as session:
            session.execute(REFERENCE_TABLES.read_bytes())
            execute(session, "accounts", accounts=max(PICKED, past.accounts if past else 0))
            execute(session, "account-zones")
            execute(session, "totals")
            if past is not None:
                self.report(f"making {past}")
                session.execute("SELECT setseed(0.5)")
                execute(
                    session, "events", events=past.events, accounts=past.accounts, days=past.days
                )
            _vacuum(session, "(ANALYZE)")

    def _create(self, stack: ExitStack, template: str) -> str:
        name = f"rollups_benchmark_{secrets.token_hex(4)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}")
        stack.callback(self._drop, name)  # an interrupted CREATE may have made it already
        with connect(self.dsn) as session:
            # Copying files is fastest, and leaves no log behind; 14 knows nothing else.
            is_old = session.info.server_version < 150000
            strategy = sql.SQL("" if is_old else "STRATEGY file_copy")
            names = sql.Identifier(name), sql.Identifier(template)
            try:
                session.execute(create.format(*names, strategy))
            except psycopg.errors.InsufficientPrivilege as error:
                raise BenchmarkError(
                    f"cannot make a scratch database: {error}",
                    hint="use a role with CREATEDB, or leave out --database-url",
                ) from error
        return make_conninfo(self.dsn, dbname=name)

    def _close(self, dsn: str) -> str:
        """Disallow connections to a database that is only to be copied; return its name.

        Workers of extensions would be there whenever it is, and no other session may then.
        """
        name = str(conninfo_to_dict(dsn)["dbname"])
        close = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false")
        with connect(self.dsn) as session:
            session.execute(close.format(sql.Identifier(name)))
        return name

    def _drop(self, name: str) -> None:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with connect(self.dsn) as session:
            session.execute(drop.format(sql.Identifier(name)))


def tidy(dsn: str) -> None:
    """Remove the dead rows that earlier turns have left behind.

    There is no checkpoint: right after one, every page that is touched goes into the log whole,
    and a short turn would measure little else.
    """
    with connect(dsn) as session:
        _vacuum(session)


def _vacuum(session: Connection, options: LiteralString = "") -> None:
    """Vacuum all but the catalogs, which takes longer than many a turn."""
    tables = [sql.Identifier(*names) for names in session.execute(_TABLES).fetchall()]
    session.execute(sql.SQL("VACUUM {} {}").format(sql.SQL(options), sql.SQL(", ").join(tables)))


def _install(contestant: Contestant, dsn: str) -> None:
    contestant.install(dsn)
    with connect(dsn) as session:
        _vacuum(session, "(ANALYZE)")
