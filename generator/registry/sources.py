"""Reads the source of a registry file, and the measures, whose columns are named there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.registry.problems import Problem, closest, dotted
from generator.registry.tables import Dimension, Measure, Number, Source

if TYPE_CHECKING:
    from generator.registry.builder import Builder, Document
    from generator.registry.problems import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is valid of the source: its table, and the columns of its dimensions and measures."""

    place: Place
    table: Source | None = None
    dimensions: list[Dimension] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)


def read_source(document: Document, builder: Builder) -> Found:
    """Read the one source: the first, if there are others."""
    sources = builder.entries(document, ("sources",), "[sources.reporting_events]")
    if stray := [name for name, table in sources.items() if not isinstance(table, dict)]:
        what = f"has a key {stray[0]!r} where a source must be"
        builder.unreadable(("sources",), f"{what}; write [sources.NAME] in place of [sources]")
        sources = {}
    if not sources:
        return Found(place=("sources",))
    first, *others = sources
    for name in others:
        what = f"a registry has one source for now, and that is {first!r}"
        builder.unreadable(("sources", name), f"{what}; leave this out")
    return _first(first, sources[first], builder)


def _first(label: str, document: Document, builder: Builder) -> Found:
    place = ("sources", label)
    keys = [one.name for one in dataclasses.fields(Source) if one.name != "label"]
    given = builder.spelt(document, [*keys, "dimensions", "measures"], place)
    fields = {"table": label} | {key: given[key] for key in keys if key in given}
    table = builder.build(Source, fields, place, label=label)
    of_dimensions, of_measures = (*place, "dimensions"), (*place, "measures")
    dimensions = builder.entries(given, of_dimensions, needed='agent = "user_id"')
    numbers = builder.entries(given, of_measures)
    return Found(
        place=place,
        table=table,
        dimensions=builder.values(Dimension, dimensions, of_dimensions, "column"),
        numbers=builder.values(Number, numbers, of_measures, "column"),
    )


def read_measures(document: Document, source: Found, builder: Builder) -> list[Measure]:
    """Read the measures, each of which has its column in the source."""
    place: Place = ("measures",)
    sections = builder.entries(document, place)
    if place in builder.unread:
        return []
    columns = {one.name: one.column for one in source.numbers}
    columns |= _without_section(columns, sections, source, builder)
    known = {name: table for name, table in sections.items() if name in columns}
    _without_column([name for name in sections if name not in columns], source, builder)
    found = (
        builder.build(Measure, table, (*place, name), name=name, column=columns[name])
        for name, table in known.items()
    )
    return [one for one in found if one is not None]


def _without_section(
    columns: dict[str, str], sections: Document, source: Found, builder: Builder
) -> dict[str, str]:
    """Note columns without a section; give those for which a section nearly has the name."""
    corrected = {}
    free = [name for name in sections if name not in columns]
    for name in (name for name in columns if name not in sections):
        meant = closest(name, free)
        what = f"there is no section [{dotted(('measures', name))}]"
        add = "add it, with sum and count, or leave this out"
        advice = f"did you mean {meant!r}?" if meant else add
        builder.problems.append(Problem((*source.place, "measures", name), f"{what}; {advice}"))
        builder.unread.add(("measures", name))
        if meant:
            corrected[meant] = columns[name]
    return corrected


def _without_column(names: list[str], source: Found, builder: Builder) -> None:
    """Note measures for which the source has no column, unless that could not be read."""
    place = (*source.place, "measures")
    for name in names:
        builder.unread.add(("measures", name))
        if builder.unread.isdisjoint({("sources",), place, (*place, name)}):
            message = f'has no column; add {dotted((name,))} = "..." to {dotted(place)}'
            builder.problems.append(Problem(("measures", name), message))
