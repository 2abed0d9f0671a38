"""`backfill`: fill in history, with questions on a terminal and progress everywhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from generator.cli.backfill_plan import plain, print_plan
from generator.cli.backfill_run import (
    Outcome,
    accounts_of,
    explain_nothing,
    run,
    tell_outcome,
    zones_of,
)
from generator.cli.console import as_json, errors, note, say, table
from generator.cli.options import dsn_of, with_account, with_database, with_days, with_pace
from generator.cli.questions import can_ask, chosen, is_confirmed
from generator.cli.ranges import days_of
from generator.cli.zones import fail_without_zone
from generator.database.connection import connect
from generator.operate import backfill as filling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.cli.moments import Typed
    from generator.database.connection import Connection
    from generator.operate.backfill import Chunk
    from generator.operate.pace import Pace


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
@click.option(
    "--json",
    "json_",
    is_flag=True,
    help="Print JSON, for programs: what was done or, with --dry-run, the plan.",
)
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
    with errors(), connect(dsn := dsn_of(database_url)) as session:
        tell = note if json_ else say
        if not dry_run:
            filling.settle(session)
        asking = can_ask() and not (yes or dry_run)
        if asking and account_id is None:
            account_id = _ask_account(session)
        if account_id is not None:
            _require_zone(session, account_id)
        days = days_of(session, account_id, since, until)
        chunks = filling.plan(
            session,
            account_id,
            days.since,
            days.until,
            chunk_events=chunk_events,
            newest_first=newest_first,
        )
        if dry_run and json_:
            as_json([plain(chunk) for chunk in chunks])
            return
        done = Outcome()
        if not chunks:
            explain_nothing(session, days.text, tell=tell)
        else:
            print_plan(chunks, zones_of(session), aside=asking or json_)
            if dry_run:
                say("dry run: nothing was done")
            elif not asking or is_confirmed("Begin?"):
                done = run(filling.run(dsn, chunks, jobs=jobs, pace=pace), chunks)
        if json_:
            as_json({"since": days.since, "until": days.until, **_plain(session, done, chunks)})
        if done.chunks:
            tell_outcome(done, days.text, tell=tell)


def _ask_account(session: Connection) -> int | None:
    accounts = accounts_of(session)
    if not accounts:
        return None
    table(["account", "time zone", "state"], accounts, aside=True)
    known = [str(account) for account, _, _ in accounts]
    answer = chosen("Account", ["all", *known], default="all")
    return None if answer == "all" else int(answer)


def _require_zone(session: Connection, account_id: int) -> None:
    if account_id not in zones_of(session):
        fail_without_zone(session, account_id)


def _plain(session: Connection, done: Outcome, chunks: Sequence[Chunk]) -> dict[str, Any]:
    """Give what was done for programs; `days` are those of accounts that have totals now."""
    days = filling.days_with_totals(session, chunks) if done.chunks else 0
    return {"days": days, **asdict(done)}
