"""How long to wait for a lock that another session holds, so that no session waits behind it."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import psycopg

from generator.database.blockers import Blocked, name_holders
from generator.errors import DatabaseError
from generator.quoting import Sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.database.connection import Connection

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often, and for how long each time, to ask for locks.

    A lock that is waited for makes writers wait behind it: `lock_timeout`, in seconds, bounds that.
    Below the server's deadlock_timeout (1 s unless changed), it is also always us who give way
    when a writer and we wait for each other. Between two attempts others go first.
    """

    lock_timeout: float = 0.5
    attempts: int = 60

    @property
    def setting(self) -> Sql:
        """The statement that makes the rest of a transaction wait no longer than that."""
        return Sql(f"SET LOCAL lock_timeout = '{round(self.lock_timeout * 1000)}ms'")

    def run(
        self, session: Connection, step: Callable[[], Result], report: Callable[[str], None]
    ) -> Result:
        """Run a step in a transaction, again whenever a lock was not to be had in time.

        After the last attempt it is a DatabaseError that names the sessions that held it, as far as
        the step tells, by `waiting_for`, which lock that was.
        """
        holders = ""
        for attempt in range(1, self.attempts + 1):
            try:
                with session.transaction():
                    session.execute(self.setting)
                    return step()
            except Blocked as blocked:
                holders = name_holders(session, blocked.lock)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                holders = ""
            report(f"others hold a lock; attempt {attempt} of {self.attempts}")
            time.sleep(random.uniform(0.5, 1.5) * self.lock_timeout)  # noqa: S311 (no secret)
        raise DatabaseError(
            f"a lock was not to be had in {self.attempts} attempts of {self.lock_timeout} s",
            hint=holders or "no session holds it now: try again",
        )
