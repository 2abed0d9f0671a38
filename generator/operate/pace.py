"""How to take one's time: pauses, other sessions first, no statement for too long."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from generator.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from generator.database.connection import Connection

_POLL = 0.5

# What others do is NULL for who may not see it.
_LOAD = """
SELECT
    count(*) FILTER (
        WHERE a.state = 'active'
        AND a.backend_type = 'client backend'
        AND a.application_name <> current_setting('application_name')
    ),
    count(*) FILTER (WHERE a.state IS NULL AND a.backend_type IS NULL)
FROM pg_stat_activity a
WHERE a.datname = current_database()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast to go on: seconds between two chunks, and what bounds each."""

    pause: float = 0
    max_load: int | None = None
    """Wait while more sessions of others than that are running a statement in this database."""
    chunk_timeout: float | None = None
    """Seconds that a chunk may take; one that takes longer is undone, and a DatabaseError."""

    def await_room(self, session: Connection, stopped: Event) -> None:
        """Wait while others are busy, unless stopped."""
        while self._is_busy(session) and not stopped.wait(_POLL):
            pass

    def rest(self, stopped: Event) -> None:
        """Pause, unless stopped."""
        stopped.wait(self.pause)

    @contextmanager
    def bounded(self, session: Connection) -> Iterator[None]:
        """Run a block in a transaction that bounds its statements."""
        try:
            with session.transaction():
                if self.chunk_timeout is not None:
                    timeout = f"{round(self.chunk_timeout * 1000)}ms"
                    session.execute("SELECT set_config('statement_timeout', %s, true)", (timeout,))
                yield
        except psycopg.errors.QueryCanceled as error:
            if self.chunk_timeout is None:
                raise
            raise DatabaseError(
                f"a chunk took longer than {self.chunk_timeout:g} s, and was undone",
                hint="what is done is kept; allow more time, or smaller chunks: --chunk-events",
            ) from error

    def _is_busy(self, session: Connection) -> bool:
        if self.max_load is None:
            return False
        active, hidden = session.execute(_LOAD).fetchone() or (0, 0)
        if hidden:
            raise DatabaseError(
                "this role may not see what other sessions do",
                hint="GRANT pg_read_all_stats to it, or go without --max-load",
            )
        return bool(active > self.max_load)
