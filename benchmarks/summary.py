"""What has come of it: a table for people, one for the README, and a document for programs."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

from generator.database import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.cases import Outcome
    from benchmarks.measurement import Comparison

HEADINGS = ("case", "contestants", "ratio", "target", "medians")

_SETTINGS = """
SELECT s.name, current_setting(s.name)
FROM pg_settings s
WHERE s.name IN (
    'shared_buffers', 'max_wal_size', 'synchronous_commit', 'fsync', 'full_page_writes'
)
ORDER BY s.name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """When, where and how it was measured."""

    date: str
    server_version: str
    settings: Mapping[str, str]
    machine: str
    cores: int
    command: str

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return (
            f"{self.date}, PostgreSQL {self.server_version} ({settings}),"
            f" {self.cores} cores ({self.machine}): {self.command}"
        )


def circumstances(dsn: str, command: str) -> Circumstances:
    """Look around."""
    with connect(dsn) as session:
        settings = dict(session.execute(_SETTINGS).fetchall())
        version = session.execute("SHOW server_version").fetchone() or ("?",)
    return Circumstances(
        date=datetime.now(UTC).date().isoformat(),
        server_version=str(version[0]).split()[0],
        settings=settings,
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        command=command,
    )


def table(outcomes: Sequence[Outcome]) -> Table:
    """Lay outcomes out for a terminal."""
    made = Table(*HEADINGS, box=None, pad_edge=False)
    for row in _rows(outcomes):
        made.add_row(*row)
    return made


def markdown(outcomes: Sequence[Outcome], where: Circumstances) -> str:
    """Lay outcomes out for a README."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *_rows(outcomes)]
    lines = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([*lines, "", f"{where}."])


def document(outcomes: Sequence[Outcome], where: Circumstances) -> dict[str, Any]:
    """Lay everything out for a program."""
    return {
        **asdict(where),
        "results": [
            {
                "case": outcome.case,
                **asdict(one),
                "target": str(one.target) if one.target else None,
                "ratios": one.ratios,
                "ratio": one.ratio,
                "verdict": one.verdict,
            }
            for outcome in outcomes
            for one in outcome.comparisons
        ],
        "skipped": {one.case: one.skipped for one in outcomes if one.skipped},
        "failed": {one.case: one.failed for one in outcomes if one.failed},
    }


def _rows(outcomes: Sequence[Outcome]) -> Iterator[Sequence[str]]:
    for outcome in outcomes:
        for one in outcome.comparisons:
            yield (
                f"{outcome.case}: {one.what}",
                f"{one.contestant} / {one.baseline}",
                _ratio(one),
                f"{one.target or ''} {one.verdict}".strip(),
                _medians(one),
            )


def _ratio(one: Comparison) -> str:
    if one.ratio is None:
        return "too noisy"
    low, high = min(one.ratios), max(one.ratios)
    return f"{_number(one.ratio)} ({_number(low)} - {_number(high)})"


def _medians(one: Comparison) -> str:
    ours, theirs = median(one.values), median(one.baseline_values)
    return f"{_number(ours)} / {_number(theirs)} {one.unit}"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
