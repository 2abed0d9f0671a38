"""The server, which crashes and comes back, and the sessions that are connected to it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Self

import psycopg

from generator.deploy.deploy import deploy
from generator.embedded import EmbeddedServer
from tests.support import reference
from tests.torture.events import FOLLOWED, KEPT, SWITCHED, ZONES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from generator.registry import Registry

SETTINGS = {
    "fsync": "off",  # it is the server that crashes, never the machine
    "autovacuum_naptime": "5s",
    "checkpoint_timeout": "30s",
    "deadlock_timeout": "100ms",  # less than any lock_timeout, so that a deadlock is called one
    "max_prepared_transactions": "50",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
LOSSES = (None, "57P01", "57P02")  # the connection broke, was terminated, its server crashed

TABLES = """
CREATE SCHEMA torture;
CREATE TABLE torture.commits (writer integer, number integer, PRIMARY KEY (writer, number));
CREATE TABLE torture.batches (id bigint PRIMARY KEY);
ALTER TABLE public.reporting_events
    ADD COLUMN batch_id bigint REFERENCES torture.batches ON DELETE CASCADE;
CREATE INDEX ON public.reporting_events (batch_id);
"""
ACCOUNT = """
INSERT INTO public.accounts (id, settings)
VALUES (%s, jsonb_build_object('reporting_timezone', %s::text))
"""


class Arena:
    """A server with Chatwoot's tables and the product, gone with all its data afterwards."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._folder = Path(tempfile.gettempdir()) / f"torture-{secrets.token_hex(6)}"
        self._running = ExitStack()
        self._up = Event()
        self._crashes = 0
        self._victims: dict[str, int] = {}
        self._killed: set[int] = set()

    def __enter__(self) -> Self:
        try:
            self._start()
            reference.install(self._dsn)
            deploy(self._dsn, self._registry)
            with closing(self.visit()) as connection:
                _furnish(connection)
        except BaseException:
            self.__exit__()
            raise
        self.open()
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self) -> None:
        """Let threads that wait for the server connect to it."""
        self._up.set()

    def visit(self) -> psycopg.Connection[Any]:
        """Connect although the arena may not be open."""
        return psycopg.connect(self._dsn, autocommit=True)

    @contextmanager
    def connected(
        self, name: str, *, is_victim: bool = True, **settings: str
    ) -> Iterator[psycopg.Connection[Any]]:
        """Connect, once the arena is open; a connection that we break ends the block, silently."""
        crashes, connection = self._connect(name, settings)
        pid = connection.info.backend_pid
        self._killed.discard(pid)
        if is_victim:
            self._victims[name] = pid
        try:
            yield connection
        except psycopg.OperationalError as error:
            is_ours = crashes != self._crashes or pid in self._killed
            if error.sqlstate not in LOSSES or not is_ours:
                raise
        finally:
            self._victims.pop(name, None)
            connection.close()

    def kill(self, chance: Random, killer: psycopg.Connection[Any]) -> str | None:
        """Terminate the connection of some victim and tell whose, if there is any."""
        victims = sorted(self._victims.items())
        if not victims:
            return None
        name, pid = chance.choice(victims)
        self._killed.add(pid)
        killer.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return name

    def crash(self) -> None:
        """Shut the server down at once, nothing put in order, and start it; the arena is closed."""
        self._up.clear()
        self._crashes += 1
        pid = int((self._base / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        self._running.close()
        self._start()
        recovers = "automatic recovery in progress"
        assert recovers in (self._base / "log").read_text(), "the server did not crash"

    def _start(self) -> None:
        programs = os.environ.get("TEST_PG_BIN")
        binaries = Path(programs) if programs else None
        server = EmbeddedServer(self._folder, binaries=binaries, settings=SETTINGS)
        self._running.enter_context(server)
        self._base = server.base
        self._dsn = server.dsn()

    def _connect(self, name: str, settings: dict[str, str]) -> tuple[int, psycopg.Connection[Any]]:
        options = " ".join(f"-c {setting}={value}" for setting, value in settings.items())
        while True:
            self._up.wait()
            crashes = self._crashes
            if not self._up.is_set():  # what we have read may be of the crash to come
                continue
            try:
                return crashes, psycopg.connect(
                    self._dsn, autocommit=True, application_name=name, options=options
                )
            except psycopg.OperationalError:
                if self._up.is_set() and crashes == self._crashes:
                    raise


def _furnish(connection: psycopg.Connection[Any]) -> None:
    """Make our own tables, and give all accounts a zone and coverage."""
    connection.execute(TABLES)
    for account in FOLLOWED:
        connection.execute(ACCOUNT, (account, ZONES[account % len(ZONES)]))
    for account in (*KEPT, *SWITCHED):
        zone = ZONES[account % len(ZONES)]
        connection.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    connection.execute("SELECT rollup.rebuild()")
