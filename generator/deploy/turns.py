"""Deployments take turns, and none waits without saying for which session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.database.blockers import waiting_for
from generator.database.locks import DEPLOY_KEY, LOCK_CLASS

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.database.connection import Connection
    from generator.database.patience import Patience

_TAKE = "SELECT pg_advisory_lock(%s, %s)"


def take_turn(session: Connection, patience: Patience, report: Callable[[str], None]) -> None:
    """Hold, until the session ends, the key that only one deployment has at a time.

    Any role that may connect could hold it: after as many attempts as `patience` says, a
    DatabaseError names the session that does.
    """

    def take() -> None:
        with waiting_for("TURN"):
            session.execute(_TAKE, (LOCK_CLASS, DEPLOY_KEY))

    patience.run(session, take, report)
