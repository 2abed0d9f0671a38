"""A statement of a deployment: to be run, or to be printed as it would be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import ClientCursor

from generator.database.blockers import waiting_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Cursor

    from generator.database.blockers import Lock
    from generator.database.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """SQL, with the values that it names, the lock that it may wait for, and what that is for."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    lock: Lock | None = None
    why: str = ""

    def run(self, session: Connection) -> Cursor[Any]:
        """Run it; a lock that is not to be had in time is a Blocked that names it."""
        if self.lock is None:
            return self._execute(session)
        with waiting_for(self.lock.mode, *self.lock.relations):
            return self._execute(session)

    def printed(self, session: Connection) -> str:
        """Write it with its values, for a session like this one, ended by a semicolon."""
        text = ClientCursor(session).mogrify(self.text, self.values) if self.values else self.text
        return text.strip().removesuffix(";") + ";"

    def _execute(self, session: Connection) -> Cursor[Any]:
        return session.execute(self.text, self.values or None)
