"""A picture of the ratios: dots with whiskers on a logarithmic axis, as an SVG file.

Each line is a comparison. Its dot is the median ratio, the bar reaches from the first quartile to
the third, the thin line from the lowest to the highest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from math import log10
from textwrap import wrap
from typing import TYPE_CHECKING

from benchmarks.canvas import FAINT, GRID, INK, Canvas
from benchmarks.contestants import NO_TRIGGER
from benchmarks.measurement import AtLeast, AtMost
from benchmarks.summary import TOO_NOISY, number, rounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.cases import Outcome
    from benchmarks.measurement import Comparison
    from benchmarks.summary import Summary

TITLE = "What the rollups cost and bring"
WIDTH = 960
MARGIN = 28
LEFT, RIGHT = 250, 800
"""Where the axis begins and ends; names are left of it, numbers right of it."""
LINE = 16
COLUMNS = 150
"""Of the notes, in characters."""

LEAST, MOST = 0.04, 25.0
"""The ends of the axis; what lies beyond is an arrow there."""
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)

COLOURS = (
    "#0b62d6",
    "#0891a5",
    "#c2410c",
    "#7c3aed",
    "#be185d",
    "#4d7c0f",
    "#a16207",
    "#475569",
    "#b91c1c",
    "#0f766e",
    "#6d28d9",
    "#166534",
)
"""Of the contestants, in the order in which they appear."""


VERDICTS = {"met": "#15803d", "missed": "#b45309"}


def draw(summary: Summary) -> str:
    """Return a picture of all comparisons of a run, with what is to be read with it."""
    return _Picture(colours=_colours(summary.outcomes)).drawn(summary)


@dataclass(slots=True, kw_only=True)
class _Picture:
    """A picture that grows downwards; `y` is where it goes on."""

    colours: dict[str, str]
    canvas: Canvas = field(default_factory=Canvas)
    y: float = MARGIN

    def drawn(self, summary: Summary) -> str:
        self._heading()
        self._legend()
        self._ticks()
        for outcome in summary.outcomes:
            if outcome.comparisons:
                self._case(outcome)
        self._ticks()
        self._notes(summary.notes)
        return self.canvas.page(TITLE, WIDTH, self.y + MARGIN - LINE)

    def _heading(self) -> None:
        """Write the title, and tell what the marks mean."""
        self.canvas.text(MARGIN, self.y + 14, TITLE, size=20, weight=600)
        self.y += 38
        self.canvas.text(
            MARGIN,
            self.y,
            "Ratios to no trigger, or to what is named; contestants took turns on one server.",
            colour=FAINT,
        )
        self.y += 24
        x, y = MARGIN, self.y - 4
        self._whisker((x, x + 10, x + 26, x + 38), y, FAINT)
        self.canvas.dot(x + 18, y, FAINT)
        marks = "lowest, quartiles, median and highest of the rounds"
        self.canvas.text(x + 48, y + 4, marks, colour=FAINT)
        self._target_mark(x + 390, y)
        self.canvas.text(x + 400, y + 4, "target", colour=FAINT)
        self.y += 24

    def _legend(self) -> None:
        x = float(MARGIN)
        for name, colour in self.colours.items():
            width = 32 + 6.8 * len(name)
            if x + width > WIDTH - MARGIN:
                x, self.y = MARGIN, self.y + LINE + 2
            self.canvas.dot(x + 4, self.y - 4, colour)
            self.canvas.text(x + 14, self.y, name)
            x += width
        self.y += 30

    def _ticks(self) -> None:
        for tick in TICKS:
            self.canvas.text(_x(tick), self.y, f"{tick:g}", anchor="middle", colour=FAINT)
        self.y += 10

    def _case(self, outcome: Outcome) -> None:
        """Draw a case: its name, then for each question its comparisons."""
        self.canvas.line((MARGIN, self.y), (WIDTH - MARGIN, self.y), GRID)
        self.y += 22
        self.canvas.text(MARGIN, self.y, outcome.case, size=14, weight=600)
        for (what, baseline, unit), group in groupby(
            outcome.comparisons, key=lambda one: (one.what, one.baseline, one.unit)
        ):
            self._question(what, baseline, unit)
            self._comparisons(list(group))
        self.y += 4

    def _question(self, what: str, baseline: str, unit: str) -> None:
        of_whom = "" if baseline == NO_TRIGGER.name else f", to {baseline}"
        better = "more is better →" if unit == "tps" else "← less is better"
        self.canvas.text(LEFT, self.y, f"{what}{of_whom}", weight=600)
        self.canvas.text(WIDTH - MARGIN, self.y, f"{unit}, {better}", anchor="end", colour=FAINT)
        self.y += 6

    def _comparisons(self, group: Sequence[Comparison]) -> None:
        """Draw comparisons with the same baseline, one below the other, over a grid."""
        bottom = self.y + LINE * len(group)
        for tick in TICKS:
            colour = FAINT if tick == 1 else GRID
            self.canvas.line((_x(tick), self.y), (_x(tick), bottom), colour)
        for one in group:
            self._comparison(one, self.y + LINE / 2)
            self.y += LINE
        self.y += 20

    def _comparison(self, one: Comparison, y: float) -> None:
        colour = self.colours[one.contestant]
        self.canvas.text(LEFT - 12, y + 4, one.contestant, anchor="end", colour=colour)
        limit = one.target.limit if isinstance(one.target, AtLeast | AtMost) else None
        if limit:
            self._target_mark(_x(limit), y)
        if one.ratio is None:
            self.canvas.text(RIGHT + 16, y + 4, TOO_NOISY, colour=FAINT)
            return
        spread = one.spread
        ends = (spread.lowest, spread.lower, spread.upper, spread.highest)
        self._whisker([_x(end) for end in ends], y, colour)
        if one.ratio > MOST:
            self.canvas.arrow(RIGHT + 8, y, 9, colour)
        elif one.ratio < LEAST:
            self.canvas.arrow(LEFT - 8, y, -9, colour)
        else:
            self.canvas.dot(_x(one.ratio), y, colour)
        self.canvas.text(RIGHT + 16, y + 4, number(one.ratio), weight=600)
        remark = rounds(spread) if not spread.is_known else one.verdict if limit else ""
        colour = VERDICTS.get(remark, FAINT)
        self.canvas.text(WIDTH - MARGIN, y + 4, remark, anchor="end", colour=colour)

    def _notes(self, notes: Sequence[str]) -> None:
        self.y += 14
        for note in notes:
            for line in wrap(note, COLUMNS):
                self.canvas.text(MARGIN, self.y, line, size=11, colour=FAINT)
                self.y += LINE

    def _whisker(self, ends: Sequence[float], y: float, colour: str) -> None:
        lowest, lower, upper, highest = ends
        self.canvas.line((lowest, y), (highest, y), colour)
        self.canvas.line((lower, y), (upper, y), colour, width=6, opacity=0.35)

    def _target_mark(self, x: float, y: float) -> None:
        self.canvas.line((x, y - 7), (x, y + 7), INK, width=2)


def _colours(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return a colour for each contestant; where there are too many, they come again."""
    names = dict.fromkeys(one.contestant for outcome in outcomes for one in outcome.comparisons)
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def _x(ratio: float) -> float:
    """Return where a ratio is on the axis, at its end where it is beyond."""
    part = log10(min(max(ratio, LEAST), MOST) / LEAST) / log10(MOST / LEAST)
    return LEFT + (RIGHT - LEFT) * part
