"""The tables that a deployment meets, and what those of ours lack.

Types are named as format_type() names them, domains by what they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.database.connection import plainly
from generator.errors import DatabaseError
from generator.quoting import Sql, ident, qualified
from generator.registry.event import event
from generator.render.objects import Found

if TYPE_CHECKING:
    from generator.database.connection import Connection
    from generator.registry import Registry

MOMENTS = ("created_at", "updated_at")
"""When a rollup row came and was last changed: columns that no statement of ours mentions."""

_DEFAULTS = {
    "bigint": "0",
    "double precision": "0",
    "timestamp without time zone": "(now() AT TIME ZONE 'UTC')",
    "timestamp with time zone": "now()",
}

_TABLE = """
SELECT c.oid, c.relkind::text
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s
AND c.relname = %s
"""

_COLUMNS = r"""
SELECT
    a.attname,
    CASE
        WHEN t.typtype = 'e' OR b.typtype = 'e' THEN 'enum'
        ELSE regexp_replace(
            format_type(coalesce(b.oid, t.oid), NULL),
            '^.*\.citext$',
            'citext'
        )
    END,
    CASE
        WHEN coalesce(b.oid, t.oid) IN ('varchar'::regtype, 'bpchar'::regtype)
        THEN nullif(CASE WHEN b.oid IS NULL THEN a.atttypmod ELSE t.typtypmod END, -1) - 4
    END,
    a.attnotnull,
    a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '',
    NOT coalesce(c.collisdeterministic, true),
    a.attgenerated = 'v'
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_collation c ON c.oid = a.attcollation
WHERE a.attrelid = %s
AND a.attnum > 0
AND NOT a.attisdropped
"""

_PARTITIONS = """
WITH RECURSIVE descendants AS (
    SELECT i.inhrelid AS oid
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhparent
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s
    AND c.relname = %s
    UNION
    SELECT i.inhrelid
    FROM descendants d
    JOIN pg_inherits i ON i.inhparent = d.oid
)
SELECT n.nspname, c.relname
FROM descendants d
JOIN pg_class c ON c.oid = d.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
ORDER BY n.nspname, c.relname
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as the database has it."""

    type: str
    max_length: int | None
    """Of varchar(n) and char(n): how many characters there is room for."""
    not_null: bool
    has_default: bool
    is_loose: bool
    """Whether its collation takes different texts for equal."""
    is_virtual: bool
    """Whether it is computed when it is read, which a transition table does not allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as the database has it, with its columns by name."""

    oid: int
    name: str
    columns: dict[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A table of ours that is missing, or the columns and defaults that it lacks."""

    name: str
    is_missing: bool
    columns: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{'create' if self.is_missing else 'complete'} table {self.name}"


def lacking(
    session: Connection, registry: Registry, supplied: frozenset[str] = frozenset()
) -> tuple[Lack, ...]:
    """List the tables of ours that are missing, or lack a column or a default.

    Those that a conversion has `supplied` pending events with are not missed.
    """
    rollups = registry.rollups
    defaults = (*amounts(registry), *MOMENTS)
    named = (one.name for one in event(registry).columns if one.name not in supplied)
    pending = ("id", "sign", *named)
    members = (*key(registry), "member", "occurrences")
    owned: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
        (rollups.schema, rollups.table, (*key(registry), *defaults), defaults),
        ("rollup", "pending_events", pending, ()),
        ("rollup", "distinct_members", members, ()),
    ]
    lacks = (
        _lack(qualified(schema, name), find(session, schema, name), required, filled_in)
        for schema, name, required, filled_in in owned
    )
    return tuple(one for one in lacks if one.is_missing or one.columns or one.defaults)


def default_settings(session: Connection, registry: Registry) -> list[Sql]:
    """Write the statements that give an adopted rollup table the defaults that inserts rely on.

    Those of moments fit the type that they have there, which the rendered statement does not know.
    A column that is not there yet comes with its default.
    """
    table = find(session, registry.rollups.schema, registry.rollups.table)
    if table is None:
        return []
    return [
        Sql(f"ALTER TABLE {table.name} ALTER {ident(name)} SET DEFAULT {_DEFAULTS[column.type]}")
        for name in (*amounts(registry), *MOMENTS)
        if (column := table.columns.get(name))
        and (column.type == "timestamp with time zone" or not column.has_default)
    ]


def survey(session: Connection, registry: Registry) -> Found:
    """Find what a rendering for this database depends on."""
    rollups = registry.rollups
    table = find(session, rollups.schema, rollups.table)
    ours = {"integer": "bigint", "string": "text"}
    types = {name: ours.get(type_, type_) for name, type_ in key(registry).items()}
    adopted = {
        name: Sql(table.columns[name].type)
        for name, type_ in types.items()
        if table and name in table.columns and table.columns[name].type != type_
    }
    events = find(session, registry.source.schema, registry.source.table)
    return Found(
        partitions=partitions(session, registry),
        account_partitions=account_partitions(session, registry),
        adopted_types=adopted,
        numeric_measures=frozenset(
            measure.column
            for measure in registry.measures
            if events
            and measure.column in events.columns
            and events.columns[measure.column].type == "numeric"
        ),
    )


def partitions(session: Connection, registry: Registry) -> tuple[Sql, ...]:
    """Name the partitions of the source table, and the partitions of those, quoted."""
    return _partitions(session, registry.source.schema, registry.source.table)


def account_partitions(session: Connection, registry: Registry) -> tuple[Sql, ...]:
    """Name the partitions of the accounts table, if there is one, likewise."""
    accounts = registry.accounts
    return _partitions(session, accounts.schema, accounts.table) if accounts else ()


def _partitions(session: Connection, schema: str, table: str) -> tuple[Sql, ...]:
    rows = session.execute(_PARTITIONS, (schema, table))
    return tuple(_partition(schema, name) for schema, name in rows)


def _partition(schema: str, name: str) -> Sql:
    try:
        return qualified(schema, name)
    except ValueError as error:
        raise DatabaseError(
            f"the name of the partition {name!r} in the schema {schema!r} {error}",
            hint="rename it: ALTER TABLE ... RENAME TO ...",
        ) from error


def key(registry: Registry) -> dict[str, str]:
    """List the columns of the rollup key, each with its type or family of types."""
    return {
        "account_id": "integer",
        "date": "date",
        "dimension_type": "string",
        "dimension_id": "bigint" if registry.rollups.id_type == "bigint" else "string",
        "metric": "string",
    }


def amounts(registry: Registry) -> dict[str, str]:
    """List the columns that are added up, each with its type."""
    return {
        "count": "bigint",
        **{measure.count: "bigint" for measure in registry.measures},
        **{measure.sum: "double precision" for measure in registry.measures},
    }


def _lack(
    name: str, table: Table | None, required: tuple[str, ...], filled_in: tuple[str, ...]
) -> Lack:
    if table is None:
        return Lack(name=name, is_missing=True)
    return Lack(
        name=name,
        is_missing=False,
        columns=tuple(one for one in required if one not in table.columns),
        defaults=tuple(
            one for one in filled_in if one in table.columns and not table.columns[one].has_default
        ),
    )


def find(session: Connection, schema: str, name: str) -> Table | None:
    """Read a table's columns; what is there but is not a table is a DatabaseError."""
    row = session.execute(_TABLE, (schema, name)).fetchone()
    if row is None:
        return None
    oid, kind = row
    if kind not in ("r", "p"):
        raise DatabaseError(
            f"{qualified(schema, name)} is not a table",
            hint="triggers that see whole statements need a table, partitioned or not",
        )
    with plainly(session):
        rows = session.execute(_COLUMNS, (oid,)).fetchall()
    return Table(
        oid=oid,
        name=qualified(schema, name),
        columns={
            column: Column(
                type=type_,
                max_length=length,
                not_null=not_null,
                has_default=default,
                is_loose=is_loose,
                is_virtual=is_virtual,
            )
            for column, type_, length, not_null, default, is_loose, is_virtual in rows
        },
    )
