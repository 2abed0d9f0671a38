"""The registry: what is counted, for whom, and under which names; the one source of truth."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.errors import RegistryError
from generator.registry.counting import Counting, counting, digest
from generator.registry.problems import invalid
from generator.registry.reader import read
from generator.registry.rules import check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.registry.reader import Draft
    from generator.registry.tables import (
        Accounts,
        Dimension,
        Event,
        Measure,
        Metric,
        Report,
        Rollups,
        Source,
    )

DEFAULT = Path(__file__).parents[1] / "registry.toml"
"""The packaged registry, which describes the tables of Chatwoot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A metric whose occurrences are kept for each value of a column of the events.

    `counted`: the metric is distinct, and its count is the number of values that occur. Otherwise
    the values are kept because a report excludes by them.
    """

    event: str
    metric: str
    column: str
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A report that is made of events: of which, and of which metric, and what it leaves out."""

    report: str
    event: str
    metric: str
    is_average: bool
    is_distinct: bool
    excluded_event: str | None
    excluded_metric: str | None
    summary: str | None


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry that is valid: load() and parse() make no other. All is in the file's order."""

    source: Source
    accounts: Accounts | None
    rollups: Rollups
    measures: tuple[Measure, ...]
    dimensions: tuple[Dimension, ...]
    events: tuple[Event, ...]
    reports: tuple[Report, ...]
    timezone_aliases: tuple[tuple[str, str], ...]

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of all events."""
        return tuple(metric for event in self.events for metric in event.metrics)

    @property
    def event_names(self) -> tuple[str, ...]:
        """The names of the events that are counted."""
        return tuple(event.name for event in self.events)

    @property
    def totals(self) -> tuple[Metric, ...]:
        """The metrics that are kept as sums: all that are not distinct."""
        return tuple(metric for metric in self.metrics if not metric.distinct)

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        """The metrics that are tracked by value: the distinct ones, then those of exclusions."""
        found = {
            metric.name: Membership(
                event=metric.event, metric=metric.name, column=metric.distinct, counted=True
            )
            for metric in self.metrics
            if metric.distinct
        }
        events = {metric.name: metric.event for metric in self.metrics}
        for report in self.reports:
            if report.metric and report.exclude and report.metric not in found:
                found[report.metric] = Membership(
                    event=events[report.metric],
                    metric=report.metric,
                    column=found[report.exclude].column,
                    counted=False,
                )
        return tuple(found.values())

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """The reports that are made of events, not answered by the application."""
        metrics = {metric.name: metric for metric in self.metrics}
        return tuple(
            Reading(
                report=report.name,
                event=metrics[report.metric].event,
                metric=report.metric,
                is_average=report.aggregate == "average",
                is_distinct=metrics[report.metric].distinct is not None,
                excluded_event=metrics[report.exclude].event if report.exclude else None,
                excluded_metric=report.exclude,
                summary=report.summary,
            )
            for report in self.reports
            if report.metric
        )

    @property
    def summaries(self) -> tuple[Reading, ...]:
        """The reports that are columns of summaries, in their order."""
        return tuple(one for one in self.readings if one.summary)

    @property
    def counted_memberships(self) -> tuple[Membership, ...]:
        """The memberships of distinct metrics."""
        return tuple(one for one in self.memberships if one.counted)

    @property
    def member_columns(self) -> tuple[str, ...]:
        """The columns of the events that hold what is tracked, each once."""
        return _unique(one.column for one in self.memberships)

    @property
    def dimension_columns(self) -> tuple[str, ...]:
        """The columns of the events that hold dimension ids, each once."""
        return _unique(one.column for one in self.dimensions)

    @property
    def id_columns(self) -> tuple[str, ...]:
        """The columns of the events that hold dimension ids or what is tracked, each once.

        Without the account's, which every event has anyway.
        """
        columns = _unique((*self.dimension_columns, *self.member_columns))
        return tuple(column for column in columns if column != self.source.account)

    @property
    def report_measure(self) -> Measure | None:
        """The measure that reports read: the first that is not that of business hours."""
        return next((one for one in self.measures if not one.business_hours), None)

    @property
    def business_hours_measure(self) -> Measure | None:
        """The measure that reports read when they are asked for business hours."""
        return next((one for one in self.measures if one.business_hours), None)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of all that the registry says: not of how the file looks."""
        return digest(dataclasses.asdict(self))

    @cached_property
    def counting(self) -> Counting:
        """What decides the totals, as digests: see generator.registry.counting."""
        return counting(self)


def load(path: Path | None = None) -> Registry:
    """Load a registry from a TOML file, or the packaged one.

    A file that cannot be read or is not valid is a RegistryError, which names all its problems.
    """
    path = path or DEFAULT
    try:
        return parse(path.read_bytes().decode("utf-8-sig"), str(path))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "give the path of a registry file, or none to use the packaged registry"
        raise RegistryError(f"{path}: cannot be read: {reason}", hint=hint) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        hint = "save the file as UTF-8"
        raise RegistryError(f"{path}:{line}: not UTF-8: {error.reason}", hint=hint) from error


def parse(text: str, origin: str) -> Registry:
    """Make a registry of TOML; `origin` is what errors call it.

    What is wrong is one RegistryError with all the problems. Only how a table that is not valid by
    itself goes with the others is left for the next time.
    """
    draft, problems = read(_document(text, origin))
    problems += check(draft)
    if problems:
        raise invalid(origin, problems)
    return _finished(draft)


def _document(text: str, origin: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegistryError(_not_toml(str(error), text, origin)) from error


def _not_toml(message: str, text: str, origin: str) -> str:
    """Make FILE:LINE:COLUMN: ... of tomllib's "... (at line 3, column 5)" or "(at end of ...)"."""
    what, _, where = message.rpartition(" (at ")
    lines = text.split("\n")
    line, column = re.findall(r"\d+", where) or (len(lines), len(lines[-1]) + 1)
    return f"{origin}:{line}:{column}: not TOML: {what[:1].lower()}{what[1:]}"


def _finished(draft: Draft) -> Registry:
    assert draft.source is not None
    assert draft.rollups is not None
    return Registry(
        source=draft.source,
        accounts=draft.accounts,
        rollups=draft.rollups,
        measures=tuple(draft.measures),
        dimensions=tuple(draft.dimensions),
        events=tuple(draft.events),
        reports=tuple(draft.reports),
        timezone_aliases=tuple((alias.name, alias.zone) for alias in draft.aliases),
    )


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
