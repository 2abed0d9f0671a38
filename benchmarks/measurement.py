"""What is measured: contestants that take turns, and the ratios of their rounds."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MEANINGLESS = 2.0
"""Where the largest ratio of the rounds is more than so many times the smallest, none is told."""

Unit = Literal["tps", "s", "ms", "bytes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a median ratio should reach, or should not exceed."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        return f"≥ {self.at_least}" if self.at_most is None else f"≤ {self.at_most}"

    def met_by(self, ratio: float) -> bool:
        """Say whether a ratio is good enough."""
        if self.at_least is not None and ratio < self.at_least:
            return False
        return self.at_most is None or ratio <= self.at_most


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
    def is_noisy(self) -> bool:
        """Whether the rounds disagree so much that their median says nothing."""
        return max(self.ratios) > MEANINGLESS * min(self.ratios)

    @property
    def ratio(self) -> float | None:
        """The median ratio, or None where it says nothing."""
        return None if self.is_noisy else median(self.ratios)

    @property
    def verdict(self) -> str:
        """`met` or `missed`; empty where there is no target, or no ratio."""
        if self.target is None or self.ratio is None:
            return ""
        return "met" if self.target.met_by(self.ratio) else "missed"


Rounds = dict[str, tuple[float, ...]]
"""The numbers of each contestant, by its name."""


def take_turns(
    rounds: int,
    contestants: Mapping[str, Callable[[], float]],
    report: Callable[[str], None] = lambda turn: None,
) -> Rounds:
    """Let contestants take turns, in reverse order every other round, and collect their numbers.

    A round before the first warms caches and files, and does not count.
    """
    numbers: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        order = list(contestants)
        for name in order if turn % 2 else reversed(order):
            report(f"{name}, round {turn} of {rounds}" if turn else f"{name}, warming up")
            number = contestants[name]()
            if turn:
                numbers[name].append(number)
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
