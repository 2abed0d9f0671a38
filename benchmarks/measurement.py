"""What is measured: contestants that take turns, and the ratios of their rounds."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal, Protocol

from benchmarks.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Unit = Literal["tps", "s", "ms", "bytes"]
"""Of `tps`, transactions per second, more is better; of all others less."""

Rounds = dict[str, tuple[float, ...]]
"""The numbers of each contestant, by its name."""


class Target(Protocol):
    """What a comparison should come to."""

    def met_by(self, comparison: Comparison) -> bool:
        """Say whether it does; it has a ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLeast:
    """A median ratio should reach a limit."""

    limit: float

    def __str__(self) -> str:
        return f"≥ {self.limit}"

    def met_by(self, comparison: Comparison) -> bool:
        """Say whether it does."""
        return comparison.spread.median >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMost:
    """A median ratio should not exceed a limit."""

    limit: float

    def __str__(self) -> str:
        return f"≤ {self.limit}"

    def met_by(self, comparison: Comparison) -> bool:
        """Say whether it does not."""
        return comparison.spread.median <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A contestant should be the worse of two, by the median of their ratios round by round."""

    name: str
    values: tuple[float, ...]
    """Those of the contestant that should be ahead."""

    def __str__(self) -> str:
        return f"behind {self.name}"

    def met_by(self, comparison: Comparison) -> bool:
        """Say whether it is."""
        pairs = zip(comparison.values, self.values, strict=True)
        ratio = median(value / ahead for value, ahead in pairs)
        return ratio < 1 if comparison.unit == "tps" else ratio > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A contestant beside the baseline: a number for each of them from every round."""

    what: str
    contestant: str
    baseline: str
    unit: Unit
    values: tuple[float, ...]
    baseline_values: tuple[float, ...]
    target: Target | None = None

    @property
    def ratios(self) -> tuple[float, ...]:
        """The contestant's number over the baseline's, round by round."""
        pairs = zip(self.values, self.baseline_values, strict=True)
        return tuple(value / baseline for value, baseline in pairs)

    @property
    def spread(self) -> Spread:
        """How the ratios are distributed."""
        return Spread.of(self.ratios)

    @property
    def ratio(self) -> float | None:
        """The median ratio, or None where it says nothing."""
        return None if self.spread.is_meaningless else self.spread.median

    @property
    def verdict(self) -> str:
        """`met` or `missed`; empty where there is no target, or too little to tell."""
        if self.target is None or self.ratio is None or not self.spread.is_known:
            return ""
        return "met" if self.target.met_by(self) else "missed"


def take_turns(
    rounds: int,
    contestants: Mapping[str, Callable[[], float]],
    report: Callable[[str], None] = lambda turn: None,
) -> Rounds:
    """Let contestants take turns, in reverse order every other round, and collect their numbers."""
    numbers: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(1, rounds + 1):
        order = list(contestants)
        for name in order if turn % 2 else reversed(order):
            report(f"{name}, round {turn} of {rounds}")
            numbers[name].append(contestants[name]())
    return {name: tuple(values) for name, values in numbers.items()}


def compare(
    what: str, unit: Unit, numbers: Rounds, targets: Mapping[str, Target] | None = None
) -> list[Comparison]:
    """Compare every contestant with the first one, which is the baseline."""
    baseline, *others = numbers
    return [
        Comparison(
            what=what,
            contestant=name,
            baseline=baseline,
            unit=unit,
            values=numbers[name],
            baseline_values=numbers[baseline],
            target=(targets or {}).get(name),
        )
        for name in others
    ]


def behind(ahead: str, numbers: Rounds, names: Collection[str]) -> dict[str, Target]:
    """Set as a target that some contestants be the worse ones, and one ahead of them."""
    return {name: Behind(name=ahead, values=numbers[ahead]) for name in names}
