"""The tables that a deployment meets: what it needs of them, and what they lack.

Checked before anything is changed. Types are named as format_type() names them, domains by what
they stand for; "text" and "integer" in a requirement are families of types.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.errors import DatabaseError
from generator.quoting import ident, qualified
from generator.render import columns

if TYPE_CHECKING:
    from generator.database import Connection
    from generator.quoting import Sql
    from generator.registry import Registry

_INTEGERS = ("smallint", "integer", "bigint")
_TEXTS = ("text", "character varying", "character", "citext", "name")
_FAMILIES = {
    "integer": _INTEGERS,
    "text": (*_TEXTS, "enum"),
    "id as text": (*_TEXTS, *_INTEGERS, "enum", "uuid", "boolean"),
    "number": (*_INTEGERS, "real", "double precision", "numeric"),
    "string": ("text", "character varying"),
    "object": ("json", "jsonb"),
    "moment": ("timestamp without time zone", "timestamp with time zone"),
}

_PRINTED = {"timestamptz": "timestamp with time zone"}

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
    a.attnotnull,
    a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
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

_UNIQUE_KEY = """
SELECT EXISTS (
    SELECT
    FROM pg_index i
    WHERE i.indrelid = %s
    AND i.indisunique
    AND i.indisvalid
    AND i.indpred IS NULL
    AND i.indexprs IS NULL
    AND (
        SELECT array_agg(a.attname::text ORDER BY a.attname)
        FROM pg_attribute a
        WHERE a.attrelid = i.indrelid
        AND a.attnum = ANY (i.indkey::smallint[])
    ) = ARRAY ['account_id', 'date', 'dimension_id', 'dimension_type', 'metric']
)
"""

_CHECKS = """
SELECT quote_ident(c.conname), pg_get_constraintdef(c.oid)
FROM pg_constraint c
WHERE c.conrelid = %s
AND c.contype = 'c'
ORDER BY c.conname
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as the database has it."""

    type: str
    not_null: bool
    has_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as the database has it, with its columns by name."""

    oid: int
    name: str
    columns: dict[str, Column]


def check(session: Connection, registry: Registry) -> None:
    """Check every table that a registry names; all that is wrong is one DatabaseError."""
    source, accounts, rollups = registry.source, registry.accounts, registry.rollups
    problems: list[str] = []
    events = _find(session, source.schema, source.table)
    if events is None:
        problems.append(f"there is no table {qualified(source.schema, source.table)}: [source]")
    else:
        problems += _misfits(events, _read(registry))
    if accounts is not None:
        table = _find(session, accounts.schema, accounts.table)
        if table is None:
            name = qualified(accounts.schema, accounts.table)
            problems.append(f"there is no table {name}: [accounts]; leave the section out if so")
        else:
            kept = "object" if accounts.timezone_key is not None else "text"
            problems += _misfits(table, {accounts.id: "integer", accounts.timezone: kept})
    record = _find(session, rollups.schema, rollups.table)
    if record is not None:
        problems += _not_adoptable(session, registry, record, events)
    problems += _outgrown(session, registry)
    if problems:
        raise DatabaseError(
            "these tables cannot be used\n" + "\n".join(f"  {one}" for one in problems),
            hint="mend the tables or the registry; nothing has been changed",
        )


def lacking(session: Connection, registry: Registry) -> list[str]:
    """Name the tables of ours that are missing, or lack a column or a default."""
    rollups = registry.rollups
    moments = {"created_at", "updated_at"}
    pending = {"id", "sign", *(column.name for column in columns(registry))}
    owned: list[tuple[str, str, set[str], set[str]]] = [
        (rollups.schema, rollups.table, {*_key(registry), *_amounts(registry), *moments}, moments),
        ("rollup", "pending_events", pending, set()),
        ("rollup", "distinct_members", {*_key(registry), "member", "occurrences"}, set()),
    ]
    found = []
    for schema, name, required, defaults in owned:
        table = _find(session, schema, name)
        if (
            table is None
            or not required <= table.columns.keys()
            or not all(table.columns[column].has_default for column in defaults)
        ):
            found.append(str(qualified(schema, name)))
    return found


def partitions(session: Connection, registry: Registry) -> tuple[Sql, ...]:
    """Name the partitions of the source table, and the partitions of those, quoted."""
    source = registry.source
    rows = session.execute(_PARTITIONS, (source.schema, source.table))
    return tuple(qualified(schema, name) for schema, name in rows)


def _read(registry: Registry) -> dict[str, str]:
    """List the columns of the events that are read, and the family of types of each."""
    source = registry.source
    moment = "timestamp without time zone"
    if source.time_type == "timestamptz":
        moment = "timestamp with time zone"
    ids = "integer" if registry.rollups.id_type == "bigint" else "id as text"
    return {
        **{measure.column: "number" for measure in registry.measures},
        **dict.fromkeys(registry.id_columns, ids),
        source.account: "integer",
        source.name: "text",
        source.time: moment,
    }


def _key(registry: Registry) -> dict[str, str]:
    return {
        "account_id": "integer",
        "date": "date",
        "dimension_type": "string",
        "dimension_id": "bigint" if registry.rollups.id_type == "bigint" else "string",
        "metric": "string",
    }


def _amounts(registry: Registry) -> dict[str, str]:
    return {
        "count": "bigint",
        **{measure.count: "bigint" for measure in registry.measures},
        **{measure.sum: "double precision" for measure in registry.measures},
    }


def _find(session: Connection, schema: str, name: str) -> Table | None:
    row = session.execute(_TABLE, (schema, name)).fetchone()
    if row is None:
        return None
    oid, kind = row
    if kind not in ("r", "p"):
        raise DatabaseError(
            f"{qualified(schema, name)} is not a table",
            hint="triggers that see whole statements need a table, partitioned or not",
        )
    return Table(
        oid=oid,
        name=qualified(schema, name),
        columns={
            column: Column(type=type_, not_null=not_null, has_default=has_default)
            for column, type_, not_null, has_default in session.execute(_COLUMNS, (oid,))
        },
    )


def _misfits(table: Table, required: dict[str, str]) -> list[str]:
    """Say which columns are missing or of a type that cannot be read."""
    problems = []
    for name, family in required.items():
        allowed = _FAMILIES.get(family, (family,))
        column = table.columns.get(name)
        if column is None:
            problems.append(f"{table.name} has no column {ident(name)}")
        elif column.type not in allowed:
            choice = " or ".join(allowed)
            problems.append(f"{table.name}.{ident(name)} is {column.type}; it must be {choice}")
    return problems


def _not_adoptable(
    session: Connection, registry: Registry, record: Table, events: Table | None
) -> list[str]:
    """Say why an existing rollup table cannot be written as it is."""
    key, amounts = _key(registry), _amounts(registry)
    moments = dict.fromkeys(("created_at", "updated_at"), "moment")
    present = {
        name: type_ for name, type_ in {**amounts, **moments}.items() if name in record.columns
    }
    problems = _misfits(record, {**key, **present})
    problems += [
        f"{record.name}.{ident(name)} is NOT NULL without a default, and nobody would fill it in"
        for name, column in record.columns.items()
        if column.not_null and not column.has_default and name not in {**key, **amounts, **moments}
    ]
    if session.execute(_UNIQUE_KEY, (record.oid,)).fetchone() != (True,):
        problems.append(f"{record.name} has no unique index on ({', '.join(key)})")
    problems += [
        f"{record.name} has {definition}, which an upsert meets before it adds: "
        f"ALTER TABLE {record.name} DROP CONSTRAINT {name}"
        for name, definition in session.execute(_CHECKS, (record.oid,))
    ]
    account = record.columns.get("account_id")
    wide = events and events.columns.get(registry.source.account)
    if account and wide and _width(account.type) < _width(wide.type):
        problems.append(f"{record.name}.account_id is {account.type}; the events have {wide.type}")
    return problems


def _outgrown(session: Connection, registry: Registry) -> list[str]:
    """Say which columns of our own tables are of a type that the registry no longer gives them."""
    id_type = str(registry.rollups.id_type)
    owned = {
        "pending_events": {
            column.name: _PRINTED.get(column.type, column.type) for column in columns(registry)
        },
        "distinct_members": {"dimension_id": id_type, "member": id_type},
    }
    problems = []
    for name, types in owned.items():
        table = _find(session, "rollup", name)
        if table is not None:
            kept = {column: type_ for column, type_ in types.items() if column in table.columns}
            problems += _misfits(table, kept)
    return problems


def _width(type_: str) -> int:
    return _INTEGERS.index(type_) if type_ in _INTEGERS else len(_INTEGERS)
