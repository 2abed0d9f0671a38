"""The columns of the source table that are read, compared with those of the last deployment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generator.database.blockers import Lock
from generator.deploy.statements import Statement
from generator.registry import reading

if TYPE_CHECKING:
    from generator.database.connection import Connection
    from generator.registry import Registry

VIEW = "rollup.changed_columns"
"""The view that compares them."""

_CHANGED = """
SELECT
    format('%I.%I', c.schema_name, c.table_name),
    quote_ident(c.column_name),
    c.change,
    c.schema_name,
    c.table_name,
    c.column_name
FROM rollup.changed_columns c
ORDER BY c.schema_name, c.table_name, c.column_name
"""

_PRESENT = """
SELECT
    n.nspname::text AS schema_name,
    c.relname::text AS table_name,
    a.attname::text AS column_name,
    c.oid AS relation,
    a.attnum,
    t.oid AS type,
    m.nspname::text AS type_schema,
    t.typname::text AS type_name,
    a.atttypmod AS type_modifier,
    o.nspname::text AS collation_schema,
    l.collname::text AS collation_name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid
    AND a.attnum > 0
    AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_namespace m ON m.oid = t.typnamespace
LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_namespace o ON o.oid = l.collnamespace
WHERE n.nspname = %(schema)s
AND c.relname = %(table)s
AND a.attname = ANY (%(columns)s::text[])
"""

_REMEMBERED = """
SELECT
    r.schema_name,
    r.table_name,
    r.column_name,
    r.relation,
    r.attnum,
    r.type,
    r.type_schema,
    r.type_name,
    r.type_modifier,
    r.collation_schema,
    r.collation_name
FROM rollup.read_columns r
"""

_VOID = """
UPDATE rollup.accounts a
SET covered = '{}'
WHERE a.covered <> '{}'
AND EXISTS (
    SELECT
    FROM rollup.changed_columns c
    WHERE c.schema_name = %(schema)s
    AND c.table_name = %(table)s
    AND c.column_name = ANY (%(columns)s::text[])
)
"""

_FORGET = "DELETE FROM rollup.read_columns"

_REMEMBER = f"""
INSERT INTO rollup.read_columns (
    schema_name, table_name, column_name, relation, attnum, type, type_schema, type_name,
    type_modifier, collation_schema, collation_name
)
{_PRESENT.strip()}
ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A column that is no longer as the last deployment found it; names are quoted."""

    table: str
    name: str
    change: str
    """What has become of it: the end of a sentence about the column."""

    def __str__(self) -> str:
        return f"column {self.name} of {self.table} {self.change} since the last deployment"


def changed(session: Connection, registry: Registry | None = None) -> tuple[Changed, ...]:
    """List the columns that have changed, or those of them that a registry reads.

    What another registry no longer reads is counted otherwise: see generator.registry.counting.
    """
    rows = session.execute(_CHANGED).fetchall()
    return tuple(
        Changed(table=table, name=name, change=change)
        for table, name, change, *place in rows
        if registry is None or _reads(registry, *place)
    )


def are_remembered(session: Connection, registry: Registry) -> bool:
    """Tell whether what is written down is what a registry reads, as it is now."""
    present = session.execute(_PRESENT, _values(registry)).fetchall()
    return set(present) == set(session.execute(_REMEMBERED).fetchall())


def lock(events: str) -> Statement:
    """Keep the table from being changed, and writers from nothing, until the transaction ends."""
    return Statement(
        text=f"LOCK TABLE ONLY {events} IN ACCESS SHARE MODE",
        lock=Lock("ACCESS SHARE", (events,)),
        why="its columns are written down",
    )


def taken_over(registry: Registry) -> tuple[Statement, ...]:
    """Write down the columns as they are; no day is covered where they have changed.

    To be run under a lock of the table, so that no change is written down unseen.
    """
    values = _values(registry)
    rows = Lock("ROWS", ("rollup.accounts",))
    return (
        Statement(text=_VOID, values=values, lock=rows, why="no day is covered any more"),
        Statement(text=_FORGET),
        Statement(text=_REMEMBER, values=values),
    )


def _reads(registry: Registry, schema: str, table: str, column: str) -> bool:
    source = registry.source
    return (schema, table) == (source.schema, source.table) and column in reading.of_events(
        registry
    )


def _values(registry: Registry) -> dict[str, Any]:
    source = registry.source
    return {
        "schema": source.schema,
        "table": source.table,
        "columns": list(reading.of_events(registry)),
    }
