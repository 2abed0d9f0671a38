"""The command line: `python -m tests.matrix`, the test suite on several versions of PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import click

from generator.errors import RollupError
from tests.support.server_programs import RELEASES, UnreachableError, of_release

if TYPE_CHECKING:
    from collections.abc import Sequence

UNREACHABLE = 3  # exit status


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the suite on a version; no counts where it did not get that far."""

    version: str
    status: int
    seconds: float
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None

    @property
    def is_good(self) -> bool:
        return self.status == 0 and self.failed == 0 and bool(self.passed)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--versions", default=" ".join(RELEASES), show_default=True)
@click.option("--processes", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--fetch", is_flag=True, help="Only download what the cache has not; test nothing.")
@click.argument("tests", nargs=-1, type=click.UNPROCESSED)
def main(versions: str, processes: int, fetch: bool, tests: tuple[str, ...]) -> None:
    """Run the tests, or those given to pytest, on every version of PostgreSQL, one by one.

    Exits with 1 where anything has failed, and with 3, before any test, where programs have to be
    downloaded and the registry does not answer.
    """
    majors = versions.split()
    if unknown := [major for major in majors if major not in RELEASES]:
        raise click.UsageError(f"no version {', '.join(unknown)}; there are {', '.join(RELEASES)}")
    try:
        folders = {major: of_release(RELEASES[major]) for major in majors}
    except RollupError as error:
        click.echo(f"error: {error}", err=True)
        click.echo(f"hint: {error.hint}", err=True)
        sys.exit(UNREACHABLE if isinstance(error, UnreachableError) else 1)
    if fetch:
        return
    outcomes = []
    for major, folder in folders.items():
        click.echo(f"PostgreSQL {RELEASES[major].version}")
        outcomes.append(_run(major, folder, processes, tests))
    click.echo(summary(outcomes))
    sys.exit(not all(outcome.is_good for outcome in outcomes))


def summary(outcomes: Sequence[Outcome]) -> str:
    """Lay out a table with a line for each version."""
    lines = [_line("PostgreSQL", "passed", "failed", "skipped", "time")]
    for one in outcomes:
        counts = ["-" if n is None else str(n) for n in (one.passed, one.failed, one.skipped)]
        minutes, seconds = divmod(round(one.seconds), 60)
        verdict = "" if one.is_good else f"  FAILED (exit status {one.status})"
        lines.append(_line(one.version, *counts, f"{minutes}:{seconds:02}") + verdict)
    return "\n".join(lines)


def _line(version: str, *others: str) -> str:
    return f"{version:10}" + "".join(f"{one:>9}" for one in others)


def _run(major: str, folder: Path, processes: int, tests: Sequence[str]) -> Outcome:
    """Run pytest against new servers made by the programs in a folder."""
    environment = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "-n", str(processes), f"--junit-xml={report}", *tests],
            env={**environment, "TEST_PG_BIN": str(folder)},
            check=False,
        )
        seconds = time.monotonic() - began
        if not report.exists():
            return Outcome(version=major, status=done.returncode, seconds=seconds)
        [suite] = ElementTree.parse(report).getroot().iter("testsuite")
    ran, failed, broken, skipped = (
        int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")
    )
    return Outcome(
        version=major,
        status=done.returncode,
        seconds=seconds,
        passed=ran - failed - broken - skipped,
        failed=failed + broken,
        skipped=skipped,
    )


if __name__ == "__main__":
    main()
