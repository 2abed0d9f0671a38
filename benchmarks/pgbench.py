"""pgbench: where it is, one turn of it, and contests that are fought in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.arena import tidy
from benchmarks.errors import BenchmarkError
from generator.embedded import EmbeddedServerError
from generator.embedded.binaries import of_the_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from benchmarks.arena import Arena
    from benchmarks.contestants import Contestant
    from benchmarks.measurement import Rounds


def find() -> Path | None:
    """Return the program, that of the wheel or else one on the PATH, or None."""
    try:
        ours = of_the_wheel() / "pgbench"
    except EmbeddedServerError:
        ours = None
    if ours is not None and ours.is_file():
        return ours
    found = shutil.which("pgbench")
    return Path(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How often or how long clients run a script, and with which variables."""

    variables: Mapping[str, int] = field(default_factory=dict)
    clients: int = 1
    transactions: int = 0
    """Of all clients together; where there are none, `seconds` count."""
    seconds: int = 0

    def run(self, dsn: str, script: str) -> float:
        """Return how often the script has run per second, in the second half of the turn.

        In its first transactions a session plans what it does; an application's live for hours.
        """
        program = find()
        if program is None:
            raise BenchmarkError("there is no pgbench", hint="install PostgreSQL's client programs")
        with TemporaryDirectory(prefix="pgbench-") as folder:
            done = subprocess.run(
                [program, *self._options(), f"--log-prefix={folder}/log", dsn],
                input=script,
                capture_output=True,
                text=True,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
            )
            if done.returncode != 0:
                raise BenchmarkError(f"pgbench fails: {done.stderr.strip()}")
            lines = [
                line for log in Path(folder).iterdir() for line in log.read_text().splitlines()
            ]
            return rate(lines, together=not self.transactions)

    def _options(self) -> list[str]:
        length = f"--time={self.seconds}"
        if self.transactions:
            length = f"--transactions={max(1, self.transactions // self.clients)}"
        return [
            "--no-vacuum",
            "--log",
            "--protocol=prepared",
            f"--client={self.clients}",
            f"--jobs={min(self.clients, os.cpu_count() or 1)}",
            length,
            "--file=-",
            *(f"--define={name}={value}" for name, value in self.variables.items()),
        ]


def rate(log: Iterable[str], *, together: bool) -> float:
    """Return how many transactions per second a log tells of, from half of those that count on.

    Where clients do not end together, what is done after the first has finished, by fewer and fewer
    of them, does not count at all. Each line is client, number, microseconds it took, script, and
    when it ended: seconds of the epoch, microseconds.
    """
    ends = []
    for line in log:
        if not line.split()[2].isdecimal():
            raise BenchmarkError(f"a transaction of pgbench has failed: {line.strip()}")
        client, _, took, _, seconds, microseconds = map(int, line.split()[:6])
        end = seconds + microseconds / 1e6
        ends.append((end, client, end - took / 1e6))
    ends.sort()
    if not together:
        first_to_finish = min({client: end for end, client, _ in ends}.values())
        ends = [one for one in ends if one[0] <= first_to_finish]
    half = len(ends) // 2
    since = ends[half - 1][0] if half else ends[0][2]
    return (len(ends) - half) / (ends[-1][0] - since)


def race(
    arena: Arena,
    what: str,
    dsns: Mapping[Contestant, str],
    turn: Turn,
    script: Callable[[Contestant], str],
) -> Rounds:
    """Let contestants take turns, each with its script, after its dead rows are gone."""

    def fresh(contestant: Contestant, dsn: str) -> float:
        tidy(dsn)
        return turn.run(dsn, script(contestant))

    return arena.take_turns(what, {one.name: partial(fresh, one, dsn) for one, dsn in dsns.items()})
