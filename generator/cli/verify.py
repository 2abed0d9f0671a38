"""`verify`: compare rollups with raw events."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from generator import verify as verifying
from generator.cli.console import as_json, errors, note, say, table
from generator.cli.options import days_of, session_of, with_account, with_database, with_days

if TYPE_CHECKING:
    from datetime import datetime


@click.command()
@with_database
@with_account
@with_days
@click.option("--repair", is_flag=True, help="Rebuild the days that differ, and verify again.")
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
    since: datetime | None,
    until: datetime | None,
    repair: bool,
    limit: int,
    json_: bool,
) -> None:
    """Compare rollups with raw events; exit with 1 where they differ.

    Numbers are truth minus rollups. Reads all events in scope, in one snapshot, without locks:
    writers are not held up, and what they are doing is no difference.
    """
    first, end = days_of(since, until)
    scope = verifying.Scope(account_id=account_id, since=first, until=end)
    with errors(), session_of(database_url) as session:
        rows = verifying.drift(session, scope)
        if rows and repair:
            changed = verifying.repair(session, rows)
            note(f"{len(rows)} differences; rebuilt their days, {changed} rows changed")
            rows = verifying.drift(session, scope)
        if json_:
            as_json(rows)
        elif rows:
            _print(rows, limit)
        else:
            days, size = verifying.size(session, scope)
            say(
                f"raw events and rollups agree: {size} rollup rows on {days} account-days, "
                "0 differences"
            )
        sys.exit(1 if rows else 0)


def _print(rows: list[dict[str, Any]], limit: int) -> None:
    columns = list(rows[0])
    table(
        [name.replace("_", " ") for name in columns], (list(row.values()) for row in rows[:limit])
    )
    covered = sum(row["covered"] for row in rows)
    say(
        f"{len(rows)} differences (truth minus rollups), {covered} of them on covered days"
        + (f"; the first {limit} are shown" if len(rows) > limit else "")
    )
    if covered < len(rows):
        note("days that are not covered await: python -m generator backfill")
    if covered:
        note("covered days should never differ; to mend them: python -m generator verify --repair")
