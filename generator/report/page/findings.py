"""What a page shows: figures of a period, found already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from generator.registry import Reading
    from generator.report.page.origins import Origin
    from generator.report.page.periods import Period, Scope
    from generator.report.queries import Point

MOST_ROWS = 200
"""How many agents, inboxes or the like a table shows; a page is no place for thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at a period: a value for each report, and where they all come from.

    An average is None where there is nothing to average.
    """

    period: Period
    values: tuple[float | None, ...]
    origins: tuple[Origin, ...]

    @property
    def sources(self) -> str:
        """From what the figures come, in words."""
        return " and ".join(sorted({one.source for one in self.origins}, reverse=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A report over a period: a point for each day, week, month or year, of which some in part."""

    reading: Reading
    unit: str
    points: tuple[Point, ...]
    partly: tuple[bool, ...]

    @property
    def values(self) -> tuple[float | None, ...]:
        """The value of each point; None where an average has nothing to average."""
        return tuple(
            None if self.reading.is_average and not point.count else point.value
            for point in self.points
        )

    @property
    def has_values(self) -> bool:
        """Whether there is anything to draw."""
        return any(point.count for point in self.points) and any(
            value is not None for value in self.values
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The key figures of every agent, inbox or the like: first its id, then a value a report."""

    dimension: str
    readings: tuple[Reading, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def leading(self) -> Reading | None:
        """The first report that counts: the rows with most of it come first."""
        return next((one for one in self.readings if not one.is_average), None)

    @property
    def shown(self) -> tuple[tuple[Any, ...], ...]:
        """The first rows."""
        return self.rows[:MOST_ROWS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that a page shows; `made` is when, by local clocks.

    Charts go by the days of the page's zone; key figures and tables, which have no days, by those
    of the account's zone. That is the same one unless the caller asked for another.
    """

    scope: Scope
    account_zone: str
    made: datetime
    readings: tuple[Reading, ...]
    now: Look
    before: Look | None
    not_compared: str | None
    series: tuple[Series, ...]
    series_origins: tuple[Origin, ...]
    breakdowns: tuple[Breakdown, ...]

    @property
    def origins(self) -> Iterator[tuple[str, tuple[Origin, ...]]]:
        """Where figures come from: charts, if they differ, the period, and the one before."""
        by_days = ""
        if self.account_zone != self.scope.zone:
            by_days = f", by days of {self.account_zone}"
            yield f"Charts of this period, by days of {self.scope.zone}", self.series_origins
        yield f"This period{by_days}", self.now.origins
        if self.before:
            yield f"The period before{by_days}", self.before.origins

    @property
    def figures(self) -> Iterator[tuple[Reading, float | None, float | None]]:
        """Each report with its value in the period and in the one before."""
        earlier = self.before.values if self.before else (None,) * len(self.readings)
        return zip(self.readings, self.now.values, earlier, strict=True)

    @property
    def has_events(self) -> bool:
        """Whether there is any event in the period."""
        return any(point.count for one in self.series for point in one.points)

    @property
    def has_gaps(self) -> bool:
        """Whether a line has gaps."""
        return any(one.reading.is_average and None in one.values for one in self.series)

    @property
    def has_parts(self) -> bool:
        """Whether a bar is of a day, week, month or year of which there is only a part."""
        return any(any(one.partly) for one in self.series if not one.reading.is_average)

    @property
    def is_over(self) -> bool:
        """Whether the period has ended."""
        return self.now.period.ends <= self.made
