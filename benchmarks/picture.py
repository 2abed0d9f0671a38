"""A picture of the ratios: dots with whiskers on a logarithmic axis, as an SVG file.

Each line is a comparison. Its dot is the median ratio, the bar reaches from the first quartile to
the third, the thin line from the lowest to the highest.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from math import log10
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.contestants import NO_TRIGGER
from benchmarks.summary import TOO_NOISY, number, rounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.cases import Outcome
    from benchmarks.measurement import Comparison
    from benchmarks.summary import Summary

TITLE = "What the rollups cost and bring"
TOP = 130
"""Where the first case begins, in pixels."""
LEFT, RIGHT = 250, 800
"""Where the axis begins and ends; names are left of it, numbers right of it."""
LINE = 16
COLUMNS = 150
"""Of the notes, in characters."""

LEAST, MOST = 0.04, 25.0
"""The ends of the axis; what lies beyond is an arrow there."""
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)

COLOURS = (
    ("#0b62d6", "#6cb2ff"),
    ("#0e7490", "#3cc7dd"),
    ("#c2410c", "#fb923c"),
    ("#7c3aed", "#b794ff"),
    ("#be185d", "#f472b6"),
    ("#4d7c0f", "#a3cf3a"),
    ("#a16207", "#e0b13c"),
    ("#475569", "#a9b7c9"),
    ("#b91c1c", "#f87171"),
    ("#0f766e", "#3fd0ba"),
    ("#78350f", "#d6a07a"),
    ("#166534", "#5fd38a"),
)
"""Of the contestants, in the order in which they appear, on a light page and on a dark one."""


def draw(summary: Summary) -> str:
    """Return a picture of all comparisons of a run, with what is to be read with it."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"number": number, "rounds": rounds, "x": _x}
    made.globals |= {"TITLE": TITLE, "TOP": TOP, "LEFT": LEFT, "RIGHT": RIGHT, "LINE": LINE}
    made.globals |= {"LEAST": LEAST, "MOST": MOST, "TICKS": TICKS, "COLOURS": COLOURS}
    made.globals |= {"NO_TRIGGER": NO_TRIGGER.name, "TOO_NOISY": TOO_NOISY}
    comparisons = [one for outcome in summary.outcomes for one in outcome.comparisons]
    names = dict.fromkeys(one.contestant for one in comparisons)
    cases, bottom = _placed(summary.outcomes)
    notes = [line for note in summary.notes for line in wrap(note, COLUMNS)]
    return made.get_template("picture.svg.j2").render(
        description=_description(comparisons),
        colours={name: place % len(COLOURS) for place, name in enumerate(names)},
        cases=cases,
        bottom=bottom,
        notes=notes,
        height=bottom + LINE * len(notes) + 36,
    )


def _placed(outcomes: Sequence[Outcome]) -> tuple[list[dict[str, Any]], int]:
    """List the cases, each with its questions, from the top down, and where they end."""
    cases, y = [], TOP
    for outcome in outcomes:
        if not outcome.comparisons:
            continue
        questions: list[dict[str, Any]] = []
        cases.append({"y": y, "name": outcome.case, "questions": questions})
        y += 22
        for (what, baseline, unit), group in groupby(
            outcome.comparisons, key=lambda one: (one.what, one.baseline, one.unit)
        ):
            rows = list(group)
            questions.append(
                {"y": y, "what": what, "baseline": baseline, "unit": unit, "rows": rows}
            )
            y += LINE * len(rows) + 26
        y += 4
    return cases, y


def _description(comparisons: Sequence[Comparison]) -> str:
    verdicts = Counter(one.verdict for one in comparisons)
    return (
        f"{len(comparisons)} ratios on a logarithmic axis. A dot is the median of the rounds, a bar"
        " reaches from the first quartile to the third, a thin line from the lowest to the"
        f" highest. Targets met: {verdicts['met']}, missed: {verdicts['missed']}."
    )


def _x(ratio: float) -> float:
    """Return where a ratio is on the axis, at its end where it is beyond."""
    part = log10(min(max(ratio, LEAST), MOST) / LEAST) / log10(MOST / LEAST)
    return round(LEFT + (RIGHT - LEFT) * part, 2)
