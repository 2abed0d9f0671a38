"""The demo: a support desk's year of events, and everything that the rollups do with them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from generator.database.connection import connect
from generator.demo import own_database
from generator.demo.show import Show
from generator.demo.stage import Stage
from generator.errors import DatabaseError

if TYPE_CHECKING:
    from rich.console import Console

    from generator.registry import Registry

__all__ = ["run"]


def run(
    dsn: str,
    registry: Registry,
    console: Console,
    *,
    events: int = 200_000,
    seed: int = 1,
    keep: bool = False,
    anchor: date | None = None,
    live_seconds: float = 4.0,
    database: str = own_database.NAME,
) -> bool:
    """Show everything in a new database on the server of `dsn`; tell whether all agreed.

    History is about as many `events`, made up from `seed`, on the 365 days before the `anchor`,
    which is today, UTC, if not given. In the end the database is dropped, unless it is to be kept
    or something did not agree.

    The registry has to count the events of Chatwoot's tables. Raises RollupError, among
    others where this role may not create a database.
    """
    own = own_database.create(dsn, database)
    try:
        with connect(own) as session:
            show = Show(
                session=session,
                dsn=own,
                stage=Stage(console),
                anchor=anchor or datetime.now(UTC).date(),
            )
            agree = _perform(show, registry, events, seed, live_seconds)
            show.end(agree, kept=keep or agree is None)
    except BaseException:
        if not keep:
            _tidy(dsn, database)
        raise
    if agree and not keep:
        _tidy(dsn, database)
    return agree is not None


def _perform(
    show: Show, registry: Registry, events: int, seed: int, live_seconds: float
) -> str | None:
    """Go through the steps; return the last words, or None where something does not agree."""
    show.begin()
    conversations = show.load(events, seed)
    show.deploy(registry)
    show.backfill()
    show.live(conversations, live_seconds, seed)
    show.report()
    same = show.compare()
    agreed = show.verify()
    return agreed if same else None


def _tidy(dsn: str, database: str) -> None:
    with suppress(DatabaseError):  # another session is connected to it; the next demo drops it
        own_database.drop(dsn, database)
