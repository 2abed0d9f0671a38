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

_IS_COVERED = "SELECT rollup.is_covered(%s, %s, %s)"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A chunk that is committed, and how many rows it changed.

    It is not covered where somebody is changing the account's time zone: then the next plan has it
    again.
    """

    chunk: Chunk
    changed: int
    is_covered: bool


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


def run(session: Connection, chunks: Iterable[Chunk]) -> Iterator[Done]:
    """Work off chunks one by one; give each when it is committed.

    Stopping between two chunks, or being killed within one, keeps what is done: the next plan
    leaves it out.
    """
    for chunk in chunks:
        scope = (chunk.account_id, chunk.since, chunk.until)
        with session.transaction():
            session.execute(_SWITCH, (chunk.account_id,))
            [changed] = session.execute(_REBUILD, scope).fetchone() or (0,)
        [is_covered] = session.execute(_IS_COVERED, scope).fetchone() or (False,)
        yield Done(chunk=chunk, changed=changed, is_covered=is_covered)
