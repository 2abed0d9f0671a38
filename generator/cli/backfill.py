"""`backfill`: fill in history, with questions on a terminal and progress everywhere."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

import click
import psycopg

from generator import backfill as filling
from generator.cli.codes import WELL, Terminated, code_of
from generator.cli.console import as_json, errors, fail, note, say, table
from generator.cli.moments import days_of
from generator.cli.options import dsn_of, with_account, with_database, with_days, with_pace
from generator.cli.progress import Progress
from generator.cli.questions import can_ask, chosen, is_confirmed
from generator.cli.zones import fail_without_zone
from generator.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.backfill import Chunk, Done
    from generator.cli.moments import Typed
    from generator.database import Connection
    from generator.pace import Pace

LONG = 730
"""Days of history above which the reference's task warns, too."""

GO_ON = "run the same command again to go on"

_ACCOUNTS = """
SELECT s.account_id, s.wanted, s.state
FROM rollup.status s
WHERE s.wanted IS NOT NULL
OR s.timezone IS NOT NULL
ORDER BY s.account_id
"""


@click.command()
@with_database
@with_account
@with_days
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many accounts to work on at once, each over a connection of its own.",
)
@click.option("--newest-first", is_flag=True, help="Begin with the newest days of all accounts.")
@with_pace
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing, on a terminal too.")
@click.option("--json", "json_", is_flag=True, help="With --dry-run: print the plan as JSON.")
def backfill(
    database_url: str | None,
    account_id: int | None,
    since: Typed | None,
    until: Typed | None,
    jobs: int,
    newest_first: bool,
    pace: Pace,
    chunk_events: int,
    dry_run: bool,
    yes: bool,
    json_: bool,
) -> None:
    """Fill in the history of accounts that have a time zone.

    Works in chunks, each committed and marked as covered, beside live writers; today is included.
    Interrupt it when you like: the next run goes on with what is not covered. On a terminal it
    asks which account, if not told, and before it begins.
    """
    if json_ and not dry_run:
        raise click.UsageError("--json prints a plan: give --dry-run, too")
    with errors(), connect(dsn := dsn_of(database_url)) as session:
        if not dry_run:
            filling.settle(session)
        asking = can_ask() and not (yes or dry_run)
        if asking and account_id is None:
            account_id = _ask_account(session)
        if account_id is not None:
            _require_zone(session, account_id)
        first, end = days_of(session, account_id, since, until)
        chunks = filling.plan(
            session,
            account_id,
            first,
            end,
            chunk_events=chunk_events,
            newest_first=newest_first,
        )
        if json_:
            as_json([_plain(chunk) for chunk in chunks])
        elif not chunks:
            _explain_nothing(session)
        else:
            _print_plan(session, chunks, aside=asking)
            if dry_run:
                say("dry run: nothing was done")
            elif not asking or is_confirmed("Begin?"):
                _run(filling.run(dsn, chunks, jobs=jobs, pace=pace), chunks)


def work_off(dsn: str, account_id: int | None = None, *, tell: Callable[[str], None] = say) -> None:
    """Backfill an account, or every one, without asking; `tell` prints what was done."""
    with connect(dsn) as session:
        filling.settle(session)
        chunks = filling.plan(session, account_id)
        if chunks:
            _run(filling.run(dsn, chunks), chunks, tell)
        else:
            _explain_nothing(session, tell)


def _ask_account(session: Connection) -> int | None:
    accounts = session.execute(_ACCOUNTS).fetchall()
    if not accounts:
        _explain_nothing(session)
        sys.exit(WELL)
    table(["account", "time zone", "state"], accounts, aside=True)
    known = [str(account) for account, _, _ in accounts]
    answer = chosen("Account", ["all", *known], default="all")
    return None if answer == "all" else int(answer)


def _require_zone(session: Connection, account_id: int) -> None:
    if account_id not in _zones(session):
        fail_without_zone(session, account_id)


def _explain_nothing(session: Connection, tell: Callable[[str], None] = say) -> None:
    if _zones(session):
        tell("nothing to do: all days are covered")
    else:
        tell(
            "nothing to do: no account has a time zone "
            "(python -m generator timezone ACCOUNT_ID ZONE)"
        )


def _zones(session: Connection) -> dict[int, str]:
    return {account: zone or "off, removed" for account, zone, _ in session.execute(_ACCOUNTS)}


def _print_plan(session: Connection, chunks: Sequence[Chunk], *, aside: bool) -> None:
    """Print, per account, what there is to do, with a warning where it is long."""
    zones = _zones(session)
    by_accounts: dict[tuple[int, ...], list[Chunk]] = {}
    for chunk in chunks:
        by_accounts.setdefault(chunk.account_ids, []).append(chunk)
    rows = []
    for accounts, own in by_accounts.items():
        begins, ends = [chunk.since for chunk in own], [chunk.until for chunk in own]
        since = None if None in begins else min(begins, key=filling.order)
        until = None if None in ends else max(ends, key=filling.order)
        rows.append(
            (
                _named(accounts),
                ", ".join(sorted({zones[one] for one in accounts if one in zones})[:3]),
                since or "the beginning",
                until or "today and after",
                sum(chunk.events for chunk in own),
                len(own),
            )
        )
        if _is_long(own):
            note(f"{_named(accounts)} has more than {LONG} days of history")
    table(["accounts", "time zones", "since", "until", "events", "chunks"], rows, aside=aside)


def _is_long(chunks: Sequence[Chunk]) -> bool:
    """Tell whether an account's history is long, as far as the bounds of its chunks show that."""
    bounds = [day for chunk in chunks for day in (chunk.since, chunk.until)]
    known = [day for day in bounds if isinstance(day, date)]
    end = date.today() if any(chunk.until is None for chunk in chunks) else max(known)
    return bool(known) and (end - min(known)).days > LONG


def _run(
    results: Iterator[Done], chunks: Sequence[Chunk], tell: Callable[[str], None] = say
) -> None:
    total = sum(chunk.events for chunk in chunks)
    changed = 0
    uncovered: set[int] = set()
    progress = Progress(total=total, of=len(chunks))
    try:
        with progress:
            for done in results:
                changed += done.changed
                uncovered.update(done.uncovered)
                progress.advance(
                    _named(done.chunk.account_ids),
                    f"{_described(done.chunk)}, {done.changed} rows changed",
                    done.chunk.events,
                )
    except KeyboardInterrupt as interrupt:
        end = "terminated" if isinstance(interrupt, Terminated) else "interrupted"
        fail(f"{end}; what is done is kept", GO_ON, code_of(interrupt))
    except psycopg.OperationalError as error:
        fail(f"{str(error).strip()}\nwhat is done is kept", GO_ON)
    pieces = "1 chunk" if len(chunks) == 1 else f"{len(chunks)} chunks"
    tell(f"backfilled {total} events in {pieces}, {changed} rows changed")
    if uncovered:
        fail(f"not covered, for somebody is changing the time zone: {_listed(uncovered)}", GO_ON)


def _named(accounts: Sequence[int]) -> str:
    return f"account {accounts[0]}" if len(accounts) == 1 else f"{len(accounts)} accounts"


def _listed(accounts: set[int]) -> str:
    first = ", ".join(map(str, sorted(accounts)[:5]))
    what = "account" if len(accounts) == 1 else "accounts"
    return f"{what} {first}" + (f" and {len(accounts) - 5} more" if len(accounts) > 5 else "")


def _described(chunk: Chunk) -> str:
    return (
        f"{_named(chunk.account_ids)}: {chunk.since or 'the beginning'} to "
        f"{chunk.until or 'today and after'}, {chunk.events} events"
    )


def _plain(chunk: Chunk) -> dict[str, object]:
    return {
        "account_ids": chunk.account_ids,
        "since": chunk.since,
        "until": chunk.until,
        "events": chunk.events,
    }
