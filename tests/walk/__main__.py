"""The command line: `python -m tests.walk`."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

import click
import psycopg
from psycopg.conninfo import make_conninfo

from tests.support import databases, reference
from tests.walk.run import walk


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--events", type=click.IntRange(min=1000), default=1_000_000, show_default=True)
@click.option("--writers", type=click.IntRange(1, 40), default=3, show_default=True)
@click.option("--seed", help="What to choose by; otherwise chosen itself, and printed.")
def main(events: int, writers: int, seed: str | None) -> None:
    """Walk through a deployment's whole life on a server of its own, beside live writers."""
    seed = seed or secrets.token_hex(4)
    click.echo(f"seed {seed}, {events} events, {writers} writers")
    with databases.server() as server, tempfile.TemporaryDirectory() as folder:
        dsns = [make_conninfo(server, dbname=name) for name in ("walk", "restored")]
        with psycopg.connect(server, autocommit=True) as connection:
            for name in ("walk", "restored"):
                connection.execute(f"CREATE DATABASE {name}")
        reference.install(dsns[0])
        for line in walk(*dsns, folder=Path(folder), events=events, writers=writers, seed=seed):
            click.echo(line)
    click.echo("no drift, and no writer waited longer than it was told to")


if __name__ == "__main__":
    main()
