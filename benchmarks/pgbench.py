"""pgbench: where it is, one turn of it, and contests that are fought in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.arena import tidy
from benchmarks.errors import BenchmarkError
from generator.embedded import EmbeddedServerError
from generator.embedded.binaries import of_the_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.arena import Arena
    from benchmarks.contestants import Contestant
    from benchmarks.measurement import Rounds

_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


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
        """Return how often the script has run per second, connecting not included."""
        program = find()
        if program is None:
            raise BenchmarkError("there is no pgbench", hint="install PostgreSQL's client programs")
        done = subprocess.run(
            [program, *self._options(), dsn],
            input=script,
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
        tps = _TPS.search(done.stdout)
        if done.returncode != 0 or tps is None:
            raise BenchmarkError(f"pgbench fails: {done.stderr.strip()}")
        return float(tps[1])

    def _options(self) -> list[str]:
        length = f"--time={self.seconds}"
        if self.transactions:
            length = f"--transactions={max(1, self.transactions // self.clients)}"
        return [
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={self.clients}",
            f"--jobs={min(self.clients, os.cpu_count() or 1)}",
            length,
            "--file=-",
            *(f"--define={name}={value}" for name, value in self.variables.items()),
        ]


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
