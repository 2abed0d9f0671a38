"""Reads a registry file as far as it can be read, and notes what is wrong on the way."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from pydantic import ValidationError

from generator.registry.problems import Problem, choices, closest, explain, wrong_type
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
    from collections.abc import Collection

    from generator.registry.problems import Place

    Document = dict[str, Any]

_SECTIONS = (
    "source",
    "accounts",
    "rollups",
    "measures",
    "dimensions",
    "events",
    "reports",
    "timezone_aliases",
)


class _Table(Protocol):
    """Any of the classes in tables."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init__(self, **values: object) -> None: ...


T = TypeVar("T", bound=_Table)


@dataclass(slots=True, kw_only=True)
class Draft:
    """What is valid by itself in a registry file, and the places of what is not."""

    source: Source | None
    accounts: Accounts | None
    rollups: Rollups | None
    measures: list[Measure]
    dimensions: list[Dimension]
    events: list[Event]
    reports: list[Report]
    aliases: list[Alias]
    unread: set[Place]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all events."""
        return [metric for event in self.events for metric in event.metrics]

    def unread_in(self, section: str) -> set[str]:
        """Name what a section has and could not be read, so that nobody calls it missing."""
        return {place[-1] for place in self.unread if place[0] == section}


def read(document: Document) -> tuple[Draft, list[Problem]]:
    """Read the content of a registry file: a draft, and a problem for all that it leaves out."""
    reader = _Reader(document)
    return reader.draft(), reader.problems


class _Reader:
    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self.unread: set[Place] = set()
        self.document = self._spelt(document, _SECTIONS, ())

    def draft(self) -> Draft:
        return Draft(
            source=self._single(Source, "source"),
            accounts=self._single(Accounts, "accounts") if "accounts" in self.document else None,
            rollups=self._single(Rollups, "rollups"),
            measures=self._named(Measure, "measures", key="column"),
            dimensions=self._named(
                Dimension, "dimensions", needed='agent = { column = "user_id" }'
            ),
            events=self._events(),
            reports=self._named(Report, "reports"),
            aliases=self._aliases(),
            unread=self.unread,
        )

    def _single(self, model: type[T], section: str) -> T | None:
        """Read a section that is one table of fixed keys."""
        if section in self.document:
            return self._build(model, self.document[section], (section,))
        self._unreadable((section,), f"missing; add a section [{section}]")
        return None

    def _named(
        self, model: type[T], section: str, *, key: str = "name", needed: str | None = None
    ) -> list[T]:
        """Read a section that holds tables by name; `key` is where the name goes."""
        entries = self._section(section, needed)
        found = (
            self._build(model, table, (section, name), **{key: name})
            for name, table in entries.items()
        )
        return [one for one in found if one is not None]

    def _events(self) -> list[Event]:
        found = (
            self._event(name, metrics)
            for name, metrics in self._section(
                "events", needed='[events.signed_up] and, below it, signups = { kind = "count" }'
            ).items()
        )
        return [event for event in found if event is not None]

    def _event(self, name: str, tables: object) -> Event | None:
        place = ("events", name)
        if not isinstance(tables, dict):
            self._unreadable(place, wrong_type(tables, "a table"))
            return None
        if not tables:
            self._unreadable(place, "emits no metric; add one, or leave the event out")
            return None
        metrics = [
            self._build(Metric, table, (*place, metric), name=metric, event=name)
            for metric, table in tables.items()
        ]
        valid = tuple(metric for metric in metrics if metric is not None)
        event = self._build(Event, {}, place, name=name, metrics=valid)
        if event is None:
            self.unread |= {(*place, metric) for metric in tables}
        return event

    def _aliases(self) -> list[Alias]:
        found = (
            self._build(Alias, {}, ("timezone_aliases", name), name=name, zone=zone)
            for name, zone in self._section("timezone_aliases").items()
        )
        return [alias for alias in found if alias is not None]

    def _section(self, section: str, needed: str | None = None) -> Document:
        """Get a section that holds entries by name; `needed` is an example where one must be."""
        entries = self.document.get(section, {})
        if not isinstance(entries, dict):
            self._unreadable((section,), wrong_type(entries, "a table"))
            return {}
        if needed and not entries:
            self._unreadable((section,), f"has no entry; add one, such as {needed}")
        return entries

    def _build(self, model: type[T], table: object, place: Place, **given: object) -> T | None:
        """Make a `model` of a table of the file and of what is `given` besides."""
        if not isinstance(table, dict):
            self._unreadable(place, wrong_type(table, "a table"))
            return None
        keys = [one.name for one in dataclasses.fields(model) if one.name not in given]
        try:
            return model(**self._spelt(table, keys, place), **given)
        except ValidationError as error:
            self.problems += explain(error, model, place, given)
            self.unread.add(place)
            return None

    def _spelt(self, table: Document, allowed: Collection[str], place: Place) -> Document:
        """Note unknown keys, and read on as if one that is nearly right were right."""
        absent = [key for key in allowed if key not in table]
        known = {key: value for key, value in table.items() if key in allowed}
        for key in (key for key in table if key not in allowed):
            message = f"unknown key; {choices(key, allowed)}"
            self.problems.append(Problem((*place, key), message))
            if meant := closest(key, absent):
                known.setdefault(meant, table[key])
        return known

    def _unreadable(self, place: Place, message: str) -> None:
        self.problems.append(Problem(place, message))
        self.unread.add(place)
