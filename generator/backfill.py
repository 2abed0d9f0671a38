"""Backfill: fill in history in chunks, each a transaction of its own, beside live writers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from generator.database import Connection

_PLAN = """
SELECT c.account_id, c.since, c.until, c.events
FROM rollup.backfill_chunks(%s, %s, %s) c
"""

_SETTLE = "SELECT rollup.settle_invalidations()"

_SWITCH = "SELECT rollup.switch_timezone(%s)"

_REBUILD = "SELECT rollup.rebuild(%s, %s, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A step: the days `since` (inclusive) to `until` (exclusive) of an account.

    None stands for no bound. `events` is about how many events those days have.
    """

    account_id: int
    since: date | None
    until: date | None
    events: int


def settle(session: Connection) -> None:
    """Take over what the application has changed and could not hand over at once."""
    session.execute(_SETTLE)


def plan(
    session: Connection,
    account_id: int | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Chunk]:
    """List the chunks that are not covered yet, for one account or for all that have a zone."""
    return [
        Chunk(account_id=account, since=first, until=end, events=events)
        for account, first, end, events in session.execute(_PLAN, (account_id, since, until))
    ]


def run(session: Connection, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, int]]:
    """Work off chunks one by one; give each, committed, with the number of rows it changed.

    Stopping between two chunks, or being killed within one, keeps what is done: the next plan
    leaves it out.
    """
    for chunk in chunks:
        with session.transaction():
            session.execute(_SWITCH, (chunk.account_id,))
            row = session.execute(_REBUILD, (chunk.account_id, chunk.since, chunk.until)).fetchone()
        yield chunk, row[0] if row else 0
