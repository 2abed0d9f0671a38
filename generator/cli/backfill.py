"""`backfill`: fill in history, with questions on a terminal and progress everywhere."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from generator import backfill as filling
from generator.cli.console import as_json, err, errors, fail, note, say, table
from generator.cli.options import days_of, session_of, with_account, with_database, with_days
from generator.cli.zones import fail_without_zone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from generator.backfill import Chunk
    from generator.database import Connection

LONG = 730
"""Days of history above which the reference's task warns, too."""

_ACCOUNTS = """
SELECT s.account_id, s.wanted, s.state
FROM rollup.status s
WHERE s.wanted IS NOT NULL
ORDER BY s.account_id
"""


@click.command()
@with_database
@with_account
@with_days
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing, on a terminal too.")
@click.option("--json", "json_", is_flag=True, help="With --dry-run: print the plan as JSON.")
def backfill(
    database_url: str | None,
    account_id: int | None,
    since: datetime | None,
    until: datetime | None,
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
    first, end = days_of(since, until)
    with errors(), session_of(database_url) as session:
        if not dry_run:
            filling.settle(session)
        asking = sys.stdin.isatty() and sys.stdout.isatty() and not (yes or dry_run)
        if asking and account_id is None:
            account_id = _ask_account(session)
        if account_id is not None:
            _require_zone(session, account_id)
        chunks = filling.plan(session, account_id, first, end)
        if json_:
            as_json([_plain(chunk) for chunk in chunks])
        elif not chunks:
            _explain_nothing(session)
        else:
            _print_plan(session, chunks)
            if dry_run:
                say("dry run: nothing was done")
            elif not asking or click.confirm("Begin?"):
                _run(session, chunks)


def work_off(session: Connection, account_id: int | None = None) -> None:
    """Backfill an account, or every one, without asking."""
    filling.settle(session)
    chunks = filling.plan(session, account_id)
    if chunks:
        _run(session, chunks)
    else:
        _explain_nothing(session)


def _ask_account(session: Connection) -> int | None:
    accounts = session.execute(_ACCOUNTS).fetchall()
    if not accounts:
        _explain_nothing(session)
        sys.exit(0)
    table(["account", "time zone", "state"], accounts)
    known = [str(account) for account, _, _ in accounts]
    answer = click.prompt(
        "Account", type=click.Choice(["all", *known]), default="all", show_choices=False
    )
    return None if answer == "all" else int(answer)


def _require_zone(session: Connection, account_id: int) -> None:
    if account_id not in _zones(session):
        fail_without_zone(account_id)


def _explain_nothing(session: Connection) -> None:
    if _zones(session):
        say("nothing to do: all days are covered")
    else:
        say(
            "nothing to do: no account has a time zone "
            "(python -m generator timezone ACCOUNT_ID ZONE)"
        )


def _zones(session: Connection) -> dict[int, str]:
    return {account: zone for account, zone, _ in session.execute(_ACCOUNTS)}


def _print_plan(session: Connection, chunks: Sequence[Chunk]) -> None:
    """Print, per account, what there is to do, with a warning where it is long."""
    zones = _zones(session)
    rows = []
    for account in dict.fromkeys(chunk.account_id for chunk in chunks):
        own = [chunk for chunk in chunks if chunk.account_id == account]
        rows.append(
            (
                account,
                zones.get(account),
                own[0].since or "the beginning",
                own[-1].until or "today and after",
                sum(chunk.events for chunk in own),
                len(own),
            )
        )
        if _is_long(own):
            note(f"account {account} has more than {LONG} days of history")
    table(["account", "time zone", "since", "until", "events", "chunks"], rows)


def _is_long(chunks: Sequence[Chunk]) -> bool:
    """Tell whether an account's history is long, as far as the bounds of its chunks show that."""
    begin, end = chunks[0].since or chunks[0].until, chunks[-1].until or date.today()
    return begin is not None and (end - begin).days > LONG


def _run(session: Connection, chunks: Sequence[Chunk]) -> None:
    total = sum(chunk.events for chunk in chunks)
    changed = 0
    uncovered: set[int] = set()
    try:
        with _progress() as progress:
            task = progress.add_task("backfill", total=total)
            for number, done in enumerate(filling.run(session, chunks), 1):
                chunk = done.chunk
                changed += done.changed
                if not done.is_covered:
                    uncovered.add(chunk.account_id)
                progress.update(
                    task, advance=chunk.events, description=f"account {chunk.account_id}"
                )
                if not err.is_terminal:
                    note(f"{number}/{len(chunks)} {_described(chunk)}, {done.changed} rows changed")
    except KeyboardInterrupt:
        fail("interrupted; what is done is kept", "run the same command again to go on")
    pieces = "1 chunk" if len(chunks) == 1 else f"{len(chunks)} chunks"
    say(f"backfilled {total} events in {pieces}, {changed} rows changed")
    if uncovered:
        fail(
            f"not covered, for somebody is changing the time zone: {_listed(uncovered)}",
            "run the same command again to go on",
        )


def _listed(accounts: set[int]) -> str:
    first = ", ".join(map(str, sorted(accounts)[:5]))
    what = "account" if len(accounts) == 1 else "accounts"
    return f"{what} {first}" + (f" and {len(accounts) - 5} more" if len(accounts) > 5 else "")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} events"),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def _described(chunk: Chunk) -> str:
    return (
        f"account {chunk.account_id}: {chunk.since or 'the beginning'} to "
        f"{chunk.until or 'today and after'}, {chunk.events} events"
    )


def _plain(chunk: Chunk) -> dict[str, object]:
    return {
        "account_id": chunk.account_id,
        "since": chunk.since,
        "until": chunk.until,
        "events": chunk.events,
    }
