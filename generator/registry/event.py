"""What an event is: the columns of the type rollup.event, and what fills them.

An event is what a row of the source table means to the totals. Only queries that read that table
know its columns; all others, and rollup.pending_events, know those of events alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from generator.quoting import SYSTEM_COLUMNS, Sql, shortened

if TYPE_CHECKING:
    from generator.registry.model import Registry

Role = Literal["account", "name", "time", "id", "measure"]

ACCOUNT, NAME, TIME = "account_id", "event", "at"

RESERVED = SYSTEM_COLUMNS | {"id", "sign"}
"""The columns of rollup.pending_events that the registry does not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventColumn:
    """A column of an event: its name and type, and the source table's column behind it."""

    name: str
    type: Sql
    column: str
    role: Role

    @property
    def is_measure(self) -> bool:
        """Whether it is a number that is summed."""
        return self.role == "measure"

    @property
    def is_text_id(self) -> bool:
        """Whether it is an id that may be too long to be kept as it is."""
        return self.role == "id" and self.type == "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The columns of an event in their order, and which of them the registry's names stand for."""

    columns: tuple[EventColumn, ...]
    dimensions: dict[str, str]
    """The column of each dimension, by the dimension's name."""
    members: dict[str, str]
    """The column of what is counted distinct, by the source table's column."""
    measures: dict[str, str]
    """The column of each measure, by the measure's name."""

    @property
    def by_dimension(self) -> tuple[str, ...]:
        """The columns that are a dimension's, each once."""
        return tuple(dict.fromkeys(self.dimensions.values()))

    @property
    def grouped(self) -> tuple[str, ...]:
        """Those of them by which totals are grouped besides the account."""
        return tuple(name for name in self.by_dimension if name != ACCOUNT)

    @property
    def source_columns(self) -> tuple[str, ...]:
        """The source table's columns that are read, each once."""
        return tuple(dict.fromkeys(one.column for one in self.columns))


def event(registry: Registry) -> Event:
    """Work out the event of a registry. A name that is taken already is told apart by its role."""
    source = registry.source
    id_type, number = Sql(registry.rollups.id_type), Sql("double precision")
    columns: dict[str, EventColumn] = {}

    def add(name: str, column: str, role: Role, type_: Sql) -> str:
        columns[name] = EventColumn(name=name, type=type_, column=column, role=role)
        return name

    def add_free(name: str, column: str, kind: str, role: Role, type_: Sql) -> str:
        if column == source.account:
            return ACCOUNT
        name = shortened(name)
        while name in RESERVED or (name in columns and columns[name].column != column):
            name = shortened(f"{kind} {name}")
        return add(name, column, role, type_)

    add(ACCOUNT, source.account, "account", Sql("bigint"))
    add(NAME, source.name, "name", Sql("text"))
    add(TIME, source.time, "time", Sql("timestamp with time zone"))
    return Event(
        dimensions={
            one.name: add_free(one.name, one.column, "dimension", "id", id_type)
            for one in registry.dimensions
        },
        members={
            column: add_free(column, column, "member", "id", id_type)
            for column in registry.member_columns
        },
        measures={
            one.name: add_free(one.name, one.column, "measure", "measure", number)
            for one in registry.measures
        },
        columns=tuple(columns.values()),
    )
