"""How far the rounds of a comparison lie apart, and when they say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 3
"""Rounds that it takes to tell how noisy it is."""
MEANINGLESS = 0.35
"""Of the median: where the middle half of the ratios takes up more than that, no ratio is told.

Of a normal distribution the interquartile range is 1.35 standard deviations, and the standard error
of the median of n rounds 1.25 / sqrt(n) of those: at the limit an eighth of the median for seven
rounds, a fifth for three. A round that another process has disturbed widens the range from lowest
to highest at will, but of many rounds hardly that between the quartiles: it does not spoil the
others.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The ratios of all rounds, in order of size, as five numbers."""

    rounds: int
    lowest: float
    lower: float
    """The first quartile."""
    median: float
    upper: float
    """The third quartile."""
    highest: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Spread:
        """Take the measure of some ratios; quartiles are interpolated between them."""
        several = ratios if len(ratios) > 1 else [*ratios, *ratios]
        lower, middle, upper = quantiles(several, method="inclusive")
        return cls(
            rounds=len(ratios),
            lowest=min(ratios),
            lower=lower,
            median=middle,
            upper=upper,
            highest=max(ratios),
        )

    @property
    def relative(self) -> float:
        """The distance between the quartiles, as a part of the median."""
        return (self.upper - self.lower) / self.median

    @property
    def is_known(self) -> bool:
        """Whether there are rounds enough to tell how noisy it is."""
        return self.rounds >= FEWEST

    @property
    def is_meaningless(self) -> bool:
        """Whether the rounds are known to disagree so much that their median says nothing."""
        return self.is_known and self.relative > MEANINGLESS
