"""`demo`: a first look."""

from __future__ import annotations

import shlex
import sys

import click

from generator.cli.codes import DIFFERENT, WELL
from generator.cli.console import errors, note, out, say_as_is
from generator.cli.options import with_database
from generator.database.connection import named
from generator.demo.own_database import NAME
from generator.embedded import EmbeddedServer
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
    with errors():
        dsn = named(database_url)
        if dsn is not None:
            agrees = _run(dsn, events, seed, keep)
        else:
            agrees = _on_a_server_of_its_own(events, seed, keep)
    sys.exit(WELL if agrees else DIFFERENT)


def _on_a_server_of_its_own(events: int, seed: int, keep: bool) -> bool:
    """Run it on an embedded server, which goes on after it if it is to be kept."""
    with EmbeddedServer() as server:
        note(f"an embedded PostgreSQL {server.version}, data in {server.base}")
        agrees = _run(server.dsn(), events, seed, keep)
        if keep:
            stop = server.keep()
            say_as_is(f"export DATABASE_URL={shlex.quote(server.dsn(NAME))}")
            note(f"the server runs on; this stops it: {stop}")
        return agrees


def _run(dsn: str, events: int, seed: int, keep: bool) -> bool:
    from generator.demo import run  # takes long to import, and no other command needs it

    return run(dsn, load(), out, events=events, seed=seed, keep=keep)
