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

from benchmarks import picture
from benchmarks.arena import Arena
from benchmarks.cases import CASES, measure
from benchmarks.circumstances import Circumstances
from benchmarks.scale import LARGE, NORMAL, QUICK
from benchmarks.servers import absentees, server
from benchmarks.summary import Summary
from generator.errors import RollupError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.cases import Outcome

SCALES = {"quick": QUICK, "normal": NORMAL, "large": LARGE}

_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


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
@click.option(
    "--quick",
    "size",
    flag_value="quick",
    help="Measure with little data, within a minute: to see that it works, not how fast.",
)
@click.option(
    "--large",
    "size",
    flag_value="large",
    help="Measure with up to ten million events, for an hour or two, on 60 GB of disk.",
)
@click.option("--list", "listing", is_flag=True, help="List the cases, and exit.")
@click.option("--json", "json_file", type=_FILE, metavar="FILE", help="Write all numbers to FILE.")
@click.option("--svg", "svg_file", type=_FILE, metavar="FILE", help="Draw the ratios into FILE.")
@click.option("--markdown", is_flag=True, help="Print the table in Markdown.")
@click.option(
    "--database-url",
    metavar="URL",
    help="Where to make scratch databases, instead of on an embedded server.",
)
def main(
    names: tuple[str, ...],
    rounds: int | None,
    size: str | None,
    listing: bool,
    json_file: Path | None,
    svg_file: Path | None,
    markdown: bool,
    database_url: str | None,
) -> None:
    """Measure what the rollups cost and bring, beside the same database without them.

    Contestants take turns on one server, round after round. What counts is the ratio of their
    numbers, round by round: the median, with the lowest and the highest. Where the middle half of
    the ratios takes up more than 35 % of the median, it is too noisy, and no ratio is told; with
    fewer than three rounds no spread is known, and no target is judged. All cases together take ten
    to twenty minutes, as fast as the machine is, and 10 GB of disk.

    The contestants are no trigger at all; the rollups, as they are by default and in append mode;
    Chatwoot's way, which is one more statement of the client in a second transaction; a
    statement trigger and a row trigger that upsert; a materialized view; and, where the server has
    them, pg_ivm and TimescaleDB. Each totals all events of the past before it begins, and most are
    compared with the events in the end. A contestant that should be "behind rollups" is compared
    with them round by round.
    """
    if listing:
        for case in CASES.values():
            click.echo(f"{case.name:15}{case.summary}")
        return
    scale = SCALES[size or "normal"]
    if rounds:
        scale = replace(scale, rounds=rounds, long_rounds=rounds)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with server(database_url) as dsn, console.status("starting") as status:
            arena = Arena(
                dsn=dsn,
                scale=scale,
                is_embedded=database_url is None,
                absent=absentees(dsn),
                report=status.update,
            )
            summary = Summary(
                circumstances=Circumstances.of(dsn, _command(sys.argv[1:], database_url)),
                outcomes=run(arena, names or CASES, console),
                absent={one.name: why for one, why in arena.absent.items()},
            )
    except RollupError as error:
        click.echo(f"error: {error}", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)
        sys.exit(1)
    if json_file:
        _write(json_file, json.dumps(summary.document(), indent=2) + "\n")
    if svg_file:
        _write(svg_file, picture.draw(summary))
    _print(summary, markdown=markdown)
    sys.exit(bool(summary.failed))


def run(arena: Arena, names: Iterable[str], console: Console) -> list[Outcome]:
    """Run cases one after the other, and tell how it goes."""
    outcomes = []
    with arena:
        for name in dict.fromkeys(names):
            start = perf_counter()
            outcome = measure(arena, CASES[name])
            problem = outcome.skipped or outcome.failed
            console.print(f"{name}: {problem or f'{perf_counter() - start:.0f} s'}", markup=False)
            outcomes.append(outcome)
    return outcomes


def _print(summary: Summary, *, markdown: bool) -> None:
    if markdown:
        click.echo(summary.markdown())
        return
    console = Console(highlight=False)
    console.print(summary.table())
    for note in summary.notes:
        console.print(f"\n{note}", soft_wrap=True, markup=False)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    click.echo(f"written: {file}", err=True)


def _command(arguments: list[str], database_url: str | None) -> str:
    """Return the command as it was given, but for the URL, which may hold a password."""
    shown = ["..." if one == database_url else one for one in arguments]
    return " ".join(["python -m benchmarks", *shown])


if __name__ == "__main__":
    main()
