"""`demo`: a first look."""

from __future__ import annotations

import sys
from contextlib import suppress

import click

from generator.cli.codes import DIFFERENT, WELL
from generator.cli.console import errors, out
from generator.cli.options import dsn_of, with_database
from generator.database import named
from generator.registry import load


@click.command()
@with_database
@click.option(
    "--events",
    type=click.IntRange(min=1),
    default=200_000,
    show_default=True,
    help="About how many events the year has.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other events.")
@click.option(
    "--keep", is_flag=True, help="Keep the demo's database, and the server, to look around."
)
def demo(database_url: str | None, events: int, seed: int, keep: bool) -> None:
    """Show all of it on a support desk's year of events.

    Makes a database of its own, loads history, deploys, backfills, writes and rebuilds at once,
    reports, and verifies. Touches nothing else.
    """
    from generator.demo import run  # needed by nobody else

    with errors(), dsn_of(database_url) as dsn:
        agrees = run(dsn, load(), out, events=events, seed=seed, keep=keep)
        if keep and named(database_url) is None:
            with suppress(KeyboardInterrupt, EOFError):
                input("The embedded server runs until you press Enter. ")
    sys.exit(WELL if agrees else DIFFERENT)
