"""The command line: `python -m benchmarks`."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click
from rich.console import Console

from benchmarks import summary
from benchmarks.arena import Arena, server
from benchmarks.cases import CASES, measure
from benchmarks.scale import FULL, QUICK
from generator.errors import RollupError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.cases import Outcome
    from benchmarks.scale import Scale


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--case",
    "names",
    multiple=True,
    type=click.Choice(list(CASES)),
    metavar="NAME",
    help="Measure this case only; may be given several times.",
)
@click.option("--rounds", type=click.IntRange(min=1), help="How many rounds of each case count.")
@click.option("--quick", is_flag=True, help="Measure with less data, within a minute.")
@click.option("--list", "listing", is_flag=True, help="List the cases, and exit.")
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Also write all numbers to a file.",
)
@click.option("--markdown", is_flag=True, help="Print the table in Markdown.")
@click.option(
    "--database-url",
    metavar="URL",
    help="Where to make scratch databases, instead of on an embedded server.",
)
def main(
    names: tuple[str, ...],
    rounds: int | None,
    quick: bool,
    listing: bool,
    file: Path | None,
    markdown: bool,
    database_url: str | None,
) -> None:
    """Measure what the rollups cost and bring, beside the same database without them.

    Contestants take turns on one server, round after round. What counts is the ratio of their
    numbers: the median of the rounds, with the lowest and the highest. Where the highest is more
    than twice the lowest, it is too noisy to tell. All cases together take a quarter of an hour.
    """
    if listing:
        for case in CASES.values():
            click.echo(f"{case.name:15}{case.summary}")
        return
    scale = QUICK if quick else FULL
    if rounds:
        scale = replace(scale, rounds=rounds, long_rounds=rounds)
    try:
        with server(database_url) as dsn:
            where = summary.circumstances(dsn, _command(sys.argv[1:], database_url))
            outcomes = run(dsn, scale, names or CASES)
    except RollupError as error:
        click.echo(f"error: {error}", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)
        sys.exit(1)
    if file:
        file.write_text(json.dumps(summary.document(outcomes, where), indent=2) + "\n")
    if markdown:
        click.echo(summary.markdown(outcomes, where))
    else:
        console = Console(highlight=False)
        console.print(summary.table(outcomes))
        console.print(f"\n{where}", soft_wrap=True)
    sys.exit(any(one.failed for one in outcomes))


def run(dsn: str, scale: Scale, names: Iterable[str]) -> list[Outcome]:
    """Run cases one after the other, and tell on standard error how it goes."""
    outcomes = []
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with (
        console.status("starting") as status,
        Arena(dsn=dsn, scale=scale, report=status.update) as arena,
    ):
        for name in dict.fromkeys(names):
            start = perf_counter()
            outcome = measure(arena, CASES[name])
            problem = outcome.skipped or outcome.failed
            console.print(f"{name}: {problem or f'{perf_counter() - start:.0f} s'}", markup=False)
            outcomes.append(outcome)
    return outcomes


def _command(arguments: list[str], database_url: str | None) -> str:
    """Return the command as it was given, but for the URL, which may hold a password."""
    shown = ["..." if one == database_url else one for one in arguments]
    return " ".join(["python -m benchmarks", *shown])


if __name__ == "__main__":
    main()
