"""The command line: `python -m tests.torture`."""

from __future__ import annotations

import logging
import secrets
import sys

import click

from tests.support.write_modes import MODES, WriteMode
from tests.torture.run import Plan, run
from tests.torture.tally import Tally
from tests.torture.verdict import explained, verdict


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), default=10.0, show_default=True
)
@click.option("--writers", type=click.IntRange(1, 40), default=8, show_default=True)
@click.option("--write-mode", type=click.Choice(list(MODES)), default="inline", show_default=True)
@click.option("--seed", help="What to choose by; otherwise chosen itself, and printed.")
@click.option(
    "--crashes-every",
    type=click.FloatRange(min=1),
    default=60.0,
    show_default=True,
    help="Seconds from one crash of the server to the next.",
)
def main(
    minutes: float, writers: int, write_mode: WriteMode, seed: str | None, crashes_every: float
) -> None:
    """Let everything happen at once to a database of its own, and see whether it is exact.

    Threads take turns as they like, so a seed brings back what each thread does, not when.
    """
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # connections are lost on purpose
    plan = Plan(
        seed=seed or secrets.token_hex(4),
        seconds=minutes * 60,
        writers=writers,
        crashes_every=crashes_every,
        write_mode=write_mode,
    )
    click.echo(f"seed {plan.seed}, {writers} writers, {write_mode}, {minutes:g} minutes")
    tally = Tally()
    problems = run(plan, tally)
    for line in tally.lines():
        click.echo(line)
    for problem in problems:
        click.echo(explained(problem), err=True)
    click.echo(verdict(problems, plan.seed))
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
