"""How long to wait for a lock that others hold, and how to make nobody wait behind us."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import psycopg

from generator.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.database import Connection

Result = TypeVar("Result")

_BLOCKERS = """
SELECT DISTINCT a.pid, a.usename, date_trunc('second', clock_timestamp() - a.xact_start)::text
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
JOIN pg_class c ON c.oid = l.relation
WHERE l.granted
AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
AND c.relkind IN ('r', 'p', 'v')
AND c.relnamespace <> 'pg_catalog'::regnamespace
AND a.pid <> pg_backend_pid()
ORDER BY a.pid
LIMIT 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often, and for how long each time, to ask for locks.

    A lock that is waited for makes writers wait behind it: `lock_timeout`, in seconds, bounds that.
    Below the server's deadlock_timeout (1 s unless changed), it is also always us who give way
    when a writer and we wait for each other. Between two attempts others go first.
    """

    lock_timeout: float = 0.5
    attempts: int = 60

    def run(
        self, session: Connection, step: Callable[[], Result], report: Callable[[str], None]
    ) -> Result:
        """Run a step in a transaction, again whenever a lock was not to be had in time.

        After the last attempt it is a DatabaseError that names who was in the way.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                with session.transaction():
                    timeout = f"{round(self.lock_timeout * 1000)}ms"
                    session.execute("SELECT set_config('lock_timeout', %s, true)", (timeout,))
                    return step()
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                report(f"others hold a lock; attempt {attempt} of {self.attempts}")
                time.sleep(random.uniform(0.5, 1.5) * self.lock_timeout)  # noqa: S311 (no secret)
        raise DatabaseError(
            f"a lock was not to be had in {self.attempts} attempts of {self.lock_timeout} s",
            hint="; ".join(
                f"process {pid} of {user} has been in a transaction for {age}"
                for pid, user, age in session.execute(_BLOCKERS)
            )
            or "nobody is in the way now: try again",
        )
