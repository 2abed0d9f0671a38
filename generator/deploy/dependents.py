"""Who depends on what is in our schema, ourselves included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.database.connection import plainly
from generator.deploy.migrate import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.database.connection import Connection

# Each row is what DROP would name to drop an object of ours, what depends on it and, if that is
# ours, too, what DROP would name to drop it.
_DEPENDENTS = """
WITH ours AS (
    SELECT
        'pg_class'::regclass AS class,
        c.oid,
        CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'c' THEN 'TYPE ' ELSE 'TABLE ' END
            || c.oid::regclass AS drop
    FROM pg_class c
    WHERE c.relnamespace = to_regnamespace(%(schema)s)
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 'ROUTINE ' || p.oid::regprocedure
    FROM pg_proc p
    WHERE p.pronamespace = to_regnamespace(%(schema)s)
    UNION ALL
    SELECT
        'pg_type'::regclass,
        t.oid,
        CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'r' THEN 'TABLE ' ELSE 'TYPE ' END
            || coalesce(e.oid, t.oid)::regtype
    FROM pg_type t
    LEFT JOIN pg_type e ON e.typarray = t.oid
    LEFT JOIN pg_class c ON c.oid = coalesce(e.typrelid, t.typrelid)
    WHERE t.typnamespace = to_regnamespace(%(schema)s)
    UNION ALL
    SELECT
        'pg_trigger'::regclass,
        t.oid,
        format('TRIGGER %%I ON %%I.%%I', t.tgname, n.nspname, c.relname)
    FROM pg_trigger t
    JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.pronamespace = to_regnamespace(%(schema)s)
)
SELECT DISTINCT
    o.drop,
    coalesce(
        quote_ident(n.nspname) || '.' || quote_ident(c.relname),
        pg_describe_object(d.classid, d.objid, d.objsubid)
    ),
    coalesce(own.drop, own_view.drop)
FROM pg_depend d
JOIN ours o ON o.class = d.refclassid AND o.oid = d.refobjid
LEFT JOIN ours own ON own.class = d.classid AND own.oid = d.objid
LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN ours own_view ON own_view.class = 'pg_class'::regclass AND own_view.oid = w.ev_class
LEFT JOIN pg_class c ON c.oid = w.ev_class
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.deptype = 'n'
AND d.classid <> 'pg_constraint'::regclass
AND o.drop IS DISTINCT FROM coalesce(own.drop, own_view.drop)
AND NOT EXISTS (
    SELECT
    FROM pg_attrdef f
    WHERE d.classid = 'pg_attrdef'::regclass
    AND f.oid = d.objid
    AND f.adrelid IN (SELECT oid FROM ours)
)
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """Something that depends on an object of ours: its name and, if it is ours, how to drop it."""

    on: str
    """What DROP would name to drop what it depends on."""
    name: str
    drop: str | None


def dependents(session: Connection) -> tuple[Dependent, ...]:
    """List what depends on the objects of our schema: views, functions, triggers and the like."""
    with plainly(session):
        rows = session.execute(_DEPENDENTS, {"schema": SCHEMA}).fetchall()
    return tuple(Dependent(on=on, name=name, drop=drop) for on, name, drop in rows)


def in_order(drops: Iterable[str], known: Iterable[Dependent]) -> tuple[str, ...]:
    """Put what is to be dropped into an order in which nothing that is left depends on it.

    Where there is none, because they depend on each other, those come last.
    """
    left = set(drops)
    edges = {(one.on, one.drop) for one in known}
    ordered: list[str] = []
    while left:
        free = {one for one in left if not any((one, other) in edges for other in left)}
        ordered += sorted(free or left)
        left -= free or left
    return tuple(ordered)
