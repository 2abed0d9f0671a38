"""Reads a registry file as far as it can be read, and notes what is wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.registry import formats
from generator.registry.builder import Builder
from generator.registry.problems import wrong_type
from generator.registry.sources import read_measures, read_source
from generator.registry.tables import (
    Accounts,
    Alias,
    Dimension,
    Event,
    Measure,
    Metric,
    Report,
    Rollups,
    Source,
)

if TYPE_CHECKING:
    from generator.registry.builder import Document, T
    from generator.registry.problems import Place, Problem

_KEYS = (
    "format",
    "sources",
    "accounts",
    "rollups",
    "measures",
    "events",
    "reports",
    "timezone_aliases",
)


@dataclass(slots=True, kw_only=True)
class Draft:
    """What is valid by itself in a registry file, and the places of what is not."""

    place: Place = ("sources",)
    """Where the source is."""
    source: Source | None = None
    accounts: Accounts | None = None
    rollups: Rollups | None = None
    measures: list[Measure] = field(default_factory=list)
    dimensions: list[Dimension] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    unread: set[Place] = field(default_factory=set)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all events."""
        return [metric for event in self.events for metric in event.metrics]

    def unread_in(self, section: str) -> set[str]:
        """Name what a section has and could not be read, so that it is not called missing."""
        return {place[-1] for place in self.unread if place[0] == section}


def read(document: Document) -> tuple[Draft, list[Problem]]:
    """Read the content of a registry file: a draft, and a problem for all that it leaves out.

    A file in another format is one problem, and left unread.
    """
    if other := formats.problem(document):
        return Draft(), [other]
    reader = _Reader(document)
    return reader.draft(), reader.problems


class _Reader(Builder):
    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = self.spelt(document, _KEYS, ())

    def draft(self) -> Draft:
        if wrong := formats.wrong_number(self.document.get("format")):
            self.problems.append(wrong)
        source = read_source(self.document, self)
        return Draft(
            place=source.place,
            source=source.table,
            dimensions=source.dimensions,
            accounts=self._single(Accounts, "accounts") if "accounts" in self.document else None,
            rollups=self._single(Rollups, "rollups"),
            measures=read_measures(self.document, source, self),
            events=self._events(),
            reports=self._reports(),
            aliases=self._aliases(),
            unread=self.unread,
        )

    def _single(self, model: type[T], section: str) -> T | None:
        """Read a section that is one table of fixed keys."""
        if section in self.document:
            return self.build(model, self.document[section], (section,))
        self.unreadable((section,), f"missing; add a section [{section}]")
        return None

    def _events(self) -> list[Event]:
        found = (
            self._event(name, metrics)
            for name, metrics in self.entries(
                self.document,
                ("events",),
                needed='[events.signed_up] and, below it, signups = { kind = "count" }',
            ).items()
        )
        return [event for event in found if event is not None]

    def _event(self, name: str, tables: object) -> Event | None:
        place = ("events", name)
        if not isinstance(tables, dict):
            self.unreadable(place, wrong_type(tables, "a table"))
            return None
        if not tables:
            self.unreadable(place, "emits no metric; add one, or leave the event out")
            return None
        metrics = [
            self.build(Metric, table, (*place, metric), name=metric, event=name)
            for metric, table in tables.items()
        ]
        valid = tuple(metric for metric in metrics if metric is not None)
        event = self.build(Event, {}, place, name=name, metrics=valid)
        if event is None:
            self.unread |= {(*place, metric) for metric in tables}
        return event

    def _reports(self) -> list[Report]:
        found = (
            self.build(Report, table, ("reports", name), name=name)
            for name, table in self.entries(self.document, ("reports",)).items()
        )
        return [report for report in found if report is not None]

    def _aliases(self) -> list[Alias]:
        place = ("timezone_aliases",)
        return self.values(Alias, self.entries(self.document, place), place, "zone")
