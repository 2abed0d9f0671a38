"""What is required of the tables, checked before anything is changed.

Types are named as in generator.deploy.tables; "text" and "integer" in a requirement are families
of types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.deploy import adoption, conversion, own_tables, ownership, publications
from generator.deploy.shapes import known
from generator.deploy.tables import MOMENTS, amounts, find, key
from generator.errors import DatabaseError
from generator.quoting import ident, qualified
from generator.registry import reading
from generator.registry.counting import LONGEST_ID
from generator.registry.event import event
from generator.registry.problems import dotted
from generator.registry.reading import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.database.connection import Connection
    from generator.deploy.tables import Table
    from generator.registry import Registry
    from generator.registry.tables import Source

_FAMILIES = {
    "integer": INTEGERS,
    "string": ("text", "character varying"),
    "moment": ("timestamp without time zone", "timestamp with time zone"),
}


_SCHEMA = "SELECT FROM pg_namespace n WHERE n.nspname = %s"

# Tables that the role of our functions, which owns our schema once it is there, reads in part only.
_HIDING = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, quote_ident(r.rolname)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles r ON r.oid = coalesce(
    (SELECT s.nspowner FROM pg_namespace s WHERE s.nspname = 'rollup'),
    quote_ident(current_user)::regrole
)
WHERE c.relrowsecurity
AND NOT (r.rolsuper OR r.rolbypassrls)
AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'))
AND (
    n.nspname = 'rollup'
    OR (n.nspname, c.relname) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
)
ORDER BY 1
"""

# A statement on a table above fires no trigger of those below it.
_ABOVE = """
WITH RECURSIVE family AS (
    SELECT %s::oid AS relation
    UNION
    SELECT i.inhrelid
    FROM family f
    JOIN pg_inherits i ON i.inhparent = f.relation
    WHERE NOT i.inhdetachpending
)
SELECT
    quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    quote_ident(pn.nspname) || '.' || quote_ident(pc.relname),
    pc.relkind = 'p'
FROM family f
JOIN pg_class c ON c.oid = f.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_inherits i ON i.inhrelid = f.relation
JOIN pg_class pc ON pc.oid = i.inhparent
JOIN pg_namespace pn ON pn.oid = pc.relnamespace
WHERE i.inhparent NOT IN (SELECT o.relation FROM family o)
ORDER BY 1, 2
"""


def check(session: Connection, registry: Registry) -> None:
    """Check every table that a registry names; all that is wrong is one DatabaseError."""
    found = problems(session, registry)
    if found:
        raise DatabaseError(
            "these tables cannot be used\n" + "\n".join(f"  {one}" for one in found),
            hint="mend the tables or the registry; nothing has been changed",
        )


def problems(session: Connection, registry: Registry) -> list[str]:
    """Say of every table that a registry names what is wrong with it; nothing is changed."""
    source, accounts, rollups = registry.source, registry.accounts, registry.rollups
    found: list[str] = []
    events = find(session, source.schema, source.table)
    if events is None:
        name = qualified(source.schema, source.table)
        found.append(f"there is no table {name}: [sources.{_label(source)}]")
    else:
        read = reading.of_events(registry)
        found += _misfits(events, read) + _loose(events, read) + _virtual(events, read)
        found += _below(session, registry, events)
    if accounts is not None:
        table = find(session, accounts.schema, accounts.table)
        if table is None:
            name = qualified(accounts.schema, accounts.table)
            found.append(f"there is no table {name}: [accounts]; leave the section out if so")
        else:
            found += _misfits(table, reading.of_accounts(registry))
    record = find(session, rollups.schema, rollups.table)
    if record is not None:
        found += _not_adoptable(session, registry, record, events)
    elif session.execute(_SCHEMA, (rollups.schema,)).fetchone() is None:
        found.append(f"there is no schema {ident(rollups.schema)}: [rollups]")
    found += _outgrown(session, registry)
    found += _hidden(session, registry)
    found += publications.problems(session, rollups.schema, rollups.table)
    shapes, are_applied = known(session, registry)
    found += ownership.problems(session, registry, shapes)
    found += own_tables.problems(session, shapes, are_applied=are_applied)
    named = [one for one in (source, accounts, rollups) if one]
    found += adoption.not_durable(session, [(one.schema, one.table) for one in named])
    return found


def _hidden(session: Connection, registry: Registry) -> list[str]:
    """Say of which tables row-level security hides rows from our functions, or refuses them."""
    named = [one for one in (registry.source, registry.accounts, registry.rollups) if one]
    values = [one.schema for one in named], [one.table for one in named]
    return [
        f"{table} hides rows from {role} by row-level security, so that totals would be wrong: "
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"
        for table, role in session.execute(_HIDING, values)
    ]


def _misfits(table: Table, required: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    """Say which columns are missing or of a type that cannot be read."""
    problems = []
    for name, family in required.items():
        allowed = family if isinstance(family, tuple) else _FAMILIES.get(family, (family,))
        column = table.columns.get(name)
        if column is None:
            problems.append(f"{table.name} has no column {ident(name)}")
        elif column.type not in allowed:
            choice = " or ".join(allowed)
            problems.append(f"{table.name}.{ident(name)} is {column.type}; it must be {choice}")
    return problems


def _loose(table: Table, names: Iterable[str]) -> list[str]:
    """Say which columns may not be grouped by: what is equal there, is not where it is pending."""
    return [
        f"{table.name}.{ident(name)} has a nondeterministic collation, by which different texts"
        f" are equal: ALTER TABLE {table.name}"
        f' ALTER {ident(name)} TYPE {table.columns[name].type} COLLATE "C"'
        for name in names
        if name in table.columns and table.columns[name].is_loose
    ]


def _virtual(table: Table, names: Iterable[str]) -> list[str]:
    """Say which columns triggers cannot read: on PostgreSQL 18 and newer every write would fail."""
    return [
        f"{table.name}.{ident(name)} is a virtual generated column, which no trigger can read in a"
        " transition table: let it be STORED"
        for name in names
        if name in table.columns and table.columns[name].is_virtual
    ]


def _below(session: Connection, registry: Registry, table: Table) -> list[str]:
    """Say which tables of events are below another, by way of which they are written uncounted."""
    problems = []
    for below, above, is_partitioned in session.execute(_ABOVE, (table.oid,)):
        action = f"{above} DETACH PARTITION {below}"
        if not is_partitioned:
            action = f"{below} NO INHERIT {above}"
        label = _label(registry.source)
        problems.append(
            f"table {below} is below {above}, and what is written by way of that is not counted: "
            f"ALTER TABLE {action}; or name {above} in the registry, under [sources.{label}]"
        )
    return problems


def _not_adoptable(
    session: Connection, registry: Registry, record: Table, events: Table | None
) -> list[str]:
    """Say why an existing rollup table cannot be written as it is."""
    filled_in = {**amounts(registry), **dict.fromkeys(MOMENTS, "moment")}
    present = {name: type_ for name, type_ in filled_in.items() if name in record.columns}
    ours = {**key(registry), **filled_in}
    problems = _misfits(record, {**key(registry), **present}) + _loose(record, key(registry))
    problems += [
        f"{record.name}.{ident(name)} is NOT NULL without a default, and rollups do not fill it in"
        for name, column in record.columns.items()
        if column.not_null and not column.has_default and name not in ours
    ]
    problems += _too_narrow(registry, record, events)
    if not adoption.has_key(session, record.oid, key(registry)):
        problems.append(f"{record.name} has no unique index on ({', '.join(key(registry))})")
    problems += adoption.hazards(session, record, tuple(ours))
    return problems


def _too_narrow(registry: Registry, record: Table, events: Table | None) -> list[str]:
    """Say which columns of the key have no room for what will be written into them."""
    problems = []
    account = record.columns.get("account_id")
    wide = events and events.columns.get(registry.source.account)
    if account and wide and _width(account.type) < _width(wide.type):
        problems.append(f"{record.name}.account_id is {account.type}; the events have {wide.type}")
    for name, values in {
        "dimension_type": [dimension.name for dimension in registry.dimensions],
        "metric": [metric.name for metric in registry.metrics],
    }.items():
        column, longest = record.columns.get(name), max(values, key=len)
        if column and column.max_length is not None and column.max_length < len(longest):
            room = f"{column.type}({column.max_length})"
            problems.append(f"{record.name}.{name} is {room}, too short for {longest!r}")
    ids = record.columns.get("dimension_id")
    if ids and ids.max_length is not None and ids.max_length < LONGEST_ID:
        room = f"{ids.type}({ids.max_length})"
        problems.append(
            f"{record.name}.dimension_id is {room}; an id may have {LONGEST_ID} characters: "
            f"ALTER TABLE {record.name} ALTER dimension_id TYPE text"
        )
    return problems


def _outgrown(session: Connection, registry: Registry) -> list[str]:
    """Say which columns of our own tables are of a type that the registry no longer gives them."""
    id_type = str(registry.rollups.id_type)
    replaced = conversion.replaced(session, registry)
    owned = {
        "pending_events": {
            one.name: str(one.type) for one in event(registry).columns if one.name not in replaced
        },
        "distinct_members": {"dimension_id": id_type, "member": id_type},
    }
    problems = []
    for name, types in owned.items():
        table = find(session, "rollup", name)
        if table is not None:
            kept = {column: type_ for column, type_ in types.items() if column in table.columns}
            problems += _misfits(table, kept)
    return problems


def _label(source: Source) -> str:
    return dotted((source.label,))


def _width(type_: str) -> int:
    return INTEGERS.index(type_) if type_ in INTEGERS else len(INTEGERS)
