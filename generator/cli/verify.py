"""`verify`: compare rollups with raw events."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from generator.cli.codes import DIFFERENT, WELL, endless
from generator.cli.confirmation import confirm_losses
from generator.cli.console import as_json, errors, note, say, table
from generator.cli.options import (
    Seconds,
    session_of,
    with_account,
    with_database,
    with_days,
)
from generator.cli.ranges import days_of
from generator.operate import losses
from generator.operate import verify as verifying

if TYPE_CHECKING:
    from generator.cli.moments import Typed
    from generator.database.connection import Connection


_KEY = ("account_id", "date", "dimension_type", "dimension_id", "metric", "covered")
"""Columns of a difference that are printed whatever they hold; of the others, those that differ."""

MOST = 5
"""Accounts that are named, of those whose time zone is not settled."""


@click.command()
@with_database
@with_account
@with_days
@click.option(
    "--sample",
    "account_days",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only so many random days of accounts that are covered; quick at every size.",
)
@click.option(
    "--watch",
    type=Seconds(0.1),
    metavar="SECONDS",
    help="Go on, once every so many seconds, until interrupted.",
)
@click.option("--repair", is_flag=True, help="Rebuild the days that differ, and verify again.")
@click.option(
    "--yes",
    "-y",
    is_flag=True,
    help="With --repair: delete, unasked, totals of days without any event; needed where there is "
    "no terminal.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="ROWS",
    default=20,
    show_default=True,
    help="Rows to print at most.",
)
@click.option("--json", "json_", is_flag=True, help="Print every difference as JSON.")
def verify(
    database_url: str | None,
    account_id: int | None,
    since: Typed | None,
    until: Typed | None,
    account_days: int | None,
    watch: float | None,
    repair: bool,
    yes: bool,
    limit: int,
    json_: bool,
) -> None:
    """Compare rollups with raw events; exit with 2 where they differ.

    Numbers are truth minus rollups. Reads all events in scope, or with --sample those of some days,
    in one snapshot, without locks: writers are not held up, and what they are doing is no
    difference. What was found is kept for 90 days in rollup.verifications.

    A repair that would delete all totals of whole days, because no event of these is left, names
    them and asks.
    """
    if account_days and (account_id, since, until) != (None, None, None):
        raise click.UsageError("--sample draws from all accounts and days")
    show = partial(_show, limit=limit, json_=json_)
    differed = False
    with errors(), session_of(database_url) as session, endless(watch):
        while True:
            days = days_of(session, account_id, since, until)
            scope = verifying.Scope(account_id=account_id, since=days.since, until=days.until)
            found = _compared(session, scope, account_days, repair=repair, yes=yes)
            differed |= show(*found, days.text)
            differed |= _tell_unsettled(session, scope)
            if not watch:
                break
            time.sleep(watch)
    sys.exit(DIFFERENT if differed and not watch else WELL)


def _compared(
    session: Connection,
    scope: verifying.Scope,
    account_days: int | None,
    *,
    repair: bool,
    yes: bool,
) -> tuple[list[dict[str, Any]], str]:
    """Compare once, repairing what differs if told to; give what still does, and what was read."""
    if account_days:
        rows, days = verifying.sample(session, account_days)
        compared = f"{days} random account-days"
    else:
        rows, compared = verifying.drift(session, scope), ""
    for gone in verifying.on_gone_days(session, rows) if rows else ():
        note(str(gone))
    if rows and repair:
        verifying.require_repairable(session, rows)
        confirm_losses(losses.of_repair(session, rows), yes=yes)
        changed = verifying.repair(session, rows)
        note(f"{len(rows)} differences; rebuilt their days, {changed} rows changed")
        rows = (
            verifying.drift_of(session, rows) if account_days else verifying.drift(session, scope)
        )
    if not rows and not compared:
        days, size = verifying.size(session, scope)
        compared = f"{size} rollup rows on {days} account-days"
    return rows, compared


def _tell_unsettled(session: Connection, scope: verifying.Scope) -> bool:
    """Name the accounts whose totals are not those of their time zone; tell whether any is."""
    found = verifying.unsettled(session, scope)
    for account, state in found[:MOST]:
        note(f"account {account}: {state}")
    if len(found) > MOST:
        note(f"and {len(found) - MOST} accounts more")
    if found:
        note("to settle that: python -m generator backfill")
    unkept = verifying.unkept(session)
    for problem, cure in unkept[:MOST]:
        note(f"totals are not kept: {problem}; {cure}")
    if len(unkept) > MOST:
        note(f"and {len(unkept) - MOST} reasons more")
    changed = verifying.changed_columns(session)
    for column in changed:
        note(f"{column}: no day is covered; python -m generator deploy --backfill")
    return bool(found or unkept or changed)


def _show(rows: list[dict[str, Any]], compared: str, days: str, *, limit: int, json_: bool) -> bool:
    """Print the outcome on these `days`, and tell whether anything differs."""
    if json_:
        as_json(rows)
    elif rows:
        _print(rows, days, limit)
    else:
        say(f"raw events and rollups agree: {compared}{days}, 0 differences")
    return bool(rows)


def _print(rows: list[dict[str, Any]], days: str, limit: int) -> None:
    columns = [name for name in rows[0] if name in _KEY or any(row[name] for row in rows)]
    table(
        [name.replace("_", " ") for name in columns],
        ([row[name] for name in columns] for row in rows[:limit]),
    )
    covered = sum(row["covered"] for row in rows)
    say(
        f"{len(rows)} differences (truth minus rollups), {covered} of them on covered days{days}"
        + (f"; the first {limit} are shown (--limit)" if len(rows) > limit else "")
    )
    if covered < len(rows):
        note("days that are not covered await: python -m generator backfill")
    if covered:
        note("covered days should never differ; to mend them: python -m generator verify --repair")
