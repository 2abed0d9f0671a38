"""What a backfill is about to do, as a table or as JSON, and how its chunks are named."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from generator.cli.console import note, table
from generator.operate.backfill import order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.operate.backfill import Chunk

LONG = 730
"""Days of history above which Chatwoot's task warns, too."""


def print_plan(chunks: Sequence[Chunk], zones: Mapping[int, str], *, aside: bool) -> None:
    """Print, per account, what there is to do, with a warning where it is long."""
    by_accounts: dict[tuple[int, ...], list[Chunk]] = {}
    for chunk in chunks:
        by_accounts.setdefault(chunk.account_ids, []).append(chunk)
    rows = []
    for accounts, own in by_accounts.items():
        begins, ends = [chunk.since for chunk in own], [chunk.until for chunk in own]
        since = None if None in begins else min(begins, key=order)
        until = None if None in ends else max(ends, key=order)
        rows.append(
            (
                named(accounts),
                ", ".join(sorted({zones[one] for one in accounts if one in zones})[:3]),
                since or "the beginning",
                until or "today and after",
                sum(chunk.events for chunk in own),
                len(own),
            )
        )
        if _is_long(own):
            note(f"{named(accounts)} has more than {LONG} days of history")
    table(["accounts", "time zones", "since", "until", "events", "chunks"], rows, aside=aside)


def plain(chunk: Chunk) -> dict[str, object]:
    """Give a chunk for programs."""
    return {
        "account_ids": chunk.account_ids,
        "since": chunk.since,
        "until": chunk.until,
        "events": chunk.events,
    }


def named(accounts: Sequence[int]) -> str:
    """Name an account, or say how many there are."""
    return f"account {accounts[0]}" if len(accounts) == 1 else f"{len(accounts)} accounts"


def described(chunk: Chunk) -> str:
    """Say of whom, from when until when, and how much a chunk is."""
    return (
        f"{named(chunk.account_ids)}: {chunk.since or 'the beginning'} to "
        f"{chunk.until or 'today and after'}, {chunk.events} events"
    )


def _is_long(chunks: Sequence[Chunk]) -> bool:
    """Tell whether an account's history is long, as far as the bounds of its chunks show that."""
    bounds = [day for chunk in chunks for day in (chunk.since, chunk.until)]
    known = [day for day in bounds if isinstance(day, date)]
    end = date.today() if any(chunk.until is None for chunk in chunks) else max(known)
    return bool(known) and (end - min(known)).days > LONG
