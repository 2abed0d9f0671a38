"""Other applications than Chatwoot: their registries, their tables, and events in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from generator.registry import load

if TYPE_CHECKING:
    from psycopg import Connection

    from generator.registry import Registry

FOLDER = Path(__file__).parents[1] / "registries"

VALUES = {
    "smallint": "nullif(i % 6, 0)",
    "integer": "nullif(i % 6, 0)",
    "bigint": "nullif(i % 5, 0)",
    "text": "'t' || nullif(i % 4, 0)",
    "char(2)": "(ARRAY ['de', 'fr', NULL]) [1 + i % 3]",
    "uuid": "('00000000-0000-4000-8000-' || lpad((i % 7)::text, 12, '0'))::uuid",
    "numeric": "nullif(i % 11, 0) * 1.25",
    "double precision": "nullif(i % 13, 0) * 0.5",
    "timestamp": "timestamp '2026-03-07' + i * interval '47 minutes'",
    "timestamptz": "timestamptz '2026-03-07 00:00+00' + i * interval '47 minutes'",
}
"""For each type of a column, what the event numbered i has there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application: its registry, and the types of the columns that the registry reads."""

    registry: Registry
    types: dict[str, str]
    has_enum: bool = False

    @property
    def events(self) -> sql.Identifier:
        return sql.Identifier(self.registry.source.schema, self.registry.source.table)

    @property
    def rollups(self) -> sql.Identifier:
        return sql.Identifier(self.registry.rollups.schema, self.registry.rollups.table)

    @property
    def names(self) -> list[str]:
        """The names of its events, one of which is not counted."""
        return [*self.registry.event_names, "not counted"]

    def create(self, session: Connection[Any]) -> None:
        """Create its schema and tables, each event numbered by a column nr."""
        session.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(
                sql.Identifier(self.registry.source.schema)
            )
        )
        if self.has_enum:
            labels = sql.SQL(", ").join(map(sql.Literal, self.names))
            session.execute(sql.SQL("CREATE TYPE kind AS ENUM ({})").format(labels))
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))
            for name, type_ in self.types.items()
        ]
        statement = sql.SQL("CREATE TABLE {} (nr serial PRIMARY KEY, {})")
        session.execute(statement.format(self.events, sql.SQL(", ").join(columns)))
        if accounts := self.registry.accounts:
            session.execute(
                sql.SQL("CREATE TABLE {} ({} integer PRIMARY KEY, {} jsonb)").format(
                    sql.Identifier(accounts.schema, accounts.table),
                    sql.Identifier(accounts.id),
                    sql.Identifier(accounts.timezone),
                )
            )

    def insert(self, session: Connection[Any], first: int = 1, last: int = 150) -> None:
        """Insert events of every name, with NULLs, for accounts 1 to 3 and others."""
        source = self.registry.source
        values: dict[str, sql.Composable] = {
            name: sql.SQL(VALUES.get(type_, "")) for name, type_ in self.types.items()
        }
        labels = sql.SQL(", ").join(map(sql.Literal, self.names))
        values[source.account] = sql.SQL("nullif(i % 4, 0)")
        values[source.name] = sql.SQL("(ARRAY [{}]{}) [1 + i % {}]").format(
            labels,
            sql.SQL("::kind[]" if self.has_enum else "::text[]"),
            sql.Literal(len(self.names)),
        )
        session.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series({first}, {last}) i").format(
                self.events,
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(values.values()),
                first=first,
                last=last,
            )
        )

    def update(self, session: Connection[Any]) -> None:
        """Move some events to another account, another day or another name."""
        source = self.registry.source
        session.execute(
            sql.SQL(
                "UPDATE {} SET {account} = 1 + nr % 3, {time} = {time} + interval '9 hours',"
                " {name} = (SELECT e.{name} FROM {} e ORDER BY e.nr LIMIT 1) WHERE nr % 3 = 0"
            ).format(
                self.events,
                self.events,
                account=sql.Identifier(source.account),
                time=sql.Identifier(source.time),
                name=sql.Identifier(source.name),
            )
        )

    def delete(self, session: Connection[Any]) -> None:
        """Delete some events."""
        session.execute(sql.SQL("DELETE FROM {} WHERE nr % 5 = 0").format(self.events))


def _load(name: str) -> Registry:
    return load(FOLDER / f"{name}.toml")


PAGE_VIEWS = Application(
    registry=_load("page_views"),
    types={
        "site_id": "integer",
        "action": "text",
        "seen_at": "timestamptz",
        "country": "char(2)",
        "page_id": "bigint",
        "visitor_id": "uuid",
        "load_ms": "integer",
    },
)
COUNTS_ONLY = Application(
    registry=_load("counts_only"),
    types={"tenant": "bigint", "kind": "kind", "at": "timestamp", "clerk": "smallint"},
    has_enum=True,
)
DISTINCT_ONLY = Application(
    registry=_load("distinct_only"),
    types={
        "team": "smallint",
        "event": "text",
        "happened": "timestamptz",
        "office": "integer",
        "person": "integer",
        "device": "bigint",
    },
)
ODD_NAMES = Application(
    registry=_load("odd_names"),
    types={
        "select": "bigint",
        'Name of "it" \\n': "text",
        "when's it? %s": "timestamp",
        "from": "integer",
        "date": "bigint",
        "Date": "smallint",
        "member": "integer",
        "account_ids": "bigint",
        "Dauer (s) — %, so lang, wie ein Name einer Spalte sein darf: ": "double precision",
        "held": "numeric",
    },
)
