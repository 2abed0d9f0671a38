"""`fold`: move pending events into the rollup table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from generator.cli.codes import endless
from generator.cli.console import as_json, errors, say
from generator.cli.options import Seconds, session_of, with_account, with_database, with_json
from generator.cli.zones import require_there

if TYPE_CHECKING:
    from generator.database.connection import Connection

_FOLD = "SELECT rollup.fold(%s)"

_LEFT = "SELECT count(*) FROM rollup.pending_events"


@click.command()
@with_database
@with_account
@with_json
@click.option(
    "--watch",
    type=Seconds(0.1),
    metavar="SECONDS",
    help="Go on, once every so many seconds, until interrupted.",
)
def fold(
    database_url: str | None, account_id: int | None, json_: bool, watch: float | None
) -> None:
    """Move pending events into the rollup table.

    Reads of rollup.current_rollups are exact without it. It serves those who read the table
    itself, and databases whose writers all use REPEATABLE READ or SERIALIZABLE, or write many rows
    in append mode. It waits for no session: accounts that are being written at the moment are left
    for the next time.
    """
    with errors(), session_of(database_url) as session, endless(watch):
        if account_id is not None:
            require_there(session, account_id)
        while True:
            folded = _fold_all(session, account_id)
            [left] = session.execute(_LEFT).fetchone() or (0,)
            if json_:
                as_json({"folded": folded, "left": left})
            elif folded or not watch:
                say(f"folded {folded} pending events, {left} left")
            if not watch:
                return
            time.sleep(watch)


def _fold_all(session: Connection, account_id: int | None) -> int:
    """Fold until nothing more can be had; each call folds a bounded number and commits."""
    total = 0
    while True:
        [folded] = session.execute(_FOLD, (account_id,)).fetchone() or (0,)
        if not folded:
            return total
        total += folded
