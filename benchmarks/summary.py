"""What has come of it: a table for people, one for a page, and a document for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.cases import Outcome
    from benchmarks.circumstances import Circumstances
    from benchmarks.measurement import Comparison
    from benchmarks.spread import Spread

HEADINGS = ("case", "contestants", "ratio", "target", "medians")
TOO_NOISY = "too noisy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All that a run has to tell."""

    circumstances: Circumstances
    outcomes: Sequence[Outcome]
    absent: Mapping[str, str]
    """The contestants that the server has nothing for, each with what is missing."""

    @property
    def skipped(self) -> dict[str, str]:
        """The contestants and the cases that were left out, each with why."""
        return {**self.absent, **{one.case: one.skipped for one in self.outcomes if one.skipped}}

    @property
    def failed(self) -> dict[str, str]:
        """The cases that could not be measured, each with why."""
        return {one.case: one.failed for one in self.outcomes if one.failed}

    @property
    def notes(self) -> list[str]:
        """What is to be read with the numbers."""
        skipped = [f"skipped: {name}: {why}" for name, why in self.skipped.items()]
        failed = [f"failed: {name}: {why}" for name, why in self.failed.items()]
        return [*skipped, *failed, str(self.circumstances)]

    def table(self) -> Table:
        """Lay the ratios out for a terminal."""
        made = Table(*HEADINGS, box=None, pad_edge=False)
        for row in self._rows():
            made.add_row(*row)
        return made

    def markdown(self) -> str:
        """Lay the ratios out for a page, with the notes."""
        rows = [HEADINGS, ("---",) * len(HEADINGS), *self._rows()]
        lines = ("| " + " | ".join(row) + " |" for row in rows)
        return "\n".join([*lines, *(f"\n{note}." for note in self.notes)])

    def document(self) -> dict[str, Any]:
        """Lay everything out for a program."""
        return {
            **asdict(self.circumstances),
            "results": [
                {"case": outcome.case, **_result(one)}
                for outcome in self.outcomes
                for one in outcome.comparisons
            ],
            "skipped": self.skipped,
            "failed": self.failed,
        }

    def _rows(self) -> Iterator[Sequence[str]]:
        for outcome in self.outcomes:
            for one in outcome.comparisons:
                yield (
                    f"{outcome.case}: {one.what}",
                    f"{one.contestant} / {one.baseline}",
                    ratio(one),
                    f"{one.target or ''} {one.verdict}".strip(),
                    _medians(one),
                )


def ratio(one: Comparison) -> str:
    """Tell the median ratio with the lowest and the highest, or why there is none."""
    spread = one.spread
    if spread.is_meaningless:
        return f"{TOO_NOISY} (quartiles {spread.relative:.0%} apart)"
    if not spread.is_known:
        return f"{number(spread.median)} ({rounds(spread)})"
    return f"{number(spread.median)} ({number(spread.lowest)} - {number(spread.highest)})"


def rounds(spread: Spread) -> str:
    """Tell how many rounds there were, where they are too few to tell more."""
    return "1 round" if spread.rounds == 1 else f"{spread.rounds} rounds"


def number(value: float) -> str:
    """Write a number with the digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def _result(one: Comparison) -> dict[str, Any]:
    """Return all that is known of a comparison; no ratio where it would be meaningless."""
    is_told = one.ratio is not None
    return {
        "what": one.what,
        "contestant": one.contestant,
        "baseline": one.baseline,
        "unit": one.unit,
        "values": one.values,
        "baseline_values": one.baseline_values,
        "ratio": one.ratio,
        "ratios": one.ratios if is_told else None,
        "spread": one.spread.relative if one.spread.is_known else None,
        "is_too_noisy": one.spread.is_meaningless,
        "target": str(one.target) if one.target else None,
        "verdict": one.verdict,
    }


def _medians(one: Comparison) -> str:
    ours, theirs = median(one.values), median(one.baseline_values)
    return f"{number(ours)} / {number(theirs)} {one.unit}" if one.ratio is not None else ""
