"""What on a table can make our writes of it fail or wait, told from the catalog with its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.database.connection import plainly
from generator.quoting import ident

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.database.connection import Connection
    from generator.deploy.shapes import Shape
    from generator.deploy.tables import Table

# Tables of events, accounts and totals, their partitions and heirs, and those of our own.
_NOT_DURABLE = """
WITH RECURSIVE family AS (
    SELECT c.oid
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
    OR (n.nspname = 'rollup' AND c.relkind = 'r')
    UNION
    SELECT i.inhrelid
    FROM family f
    JOIN pg_inherits i ON i.inhparent = f.oid
)
SELECT
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
    CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' ELSE 'foreign' END
FROM family f
JOIN pg_class c ON c.oid = f.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind = 'r' AND c.relpersistence <> 'p')
OR c.relkind = 'f'
ORDER BY 1
"""

_KEY = ("account_id", "date", "dimension_type", "dimension_id", "metric")

# Constants, the time now and numbers from a sequence, as pg_get_expr() prints them.
_TYPE = r"(::[a-z_. \"]+(\(\d+(,\d+)?\))?( with(out)? time zone)?(\[\])?)?"
_NOW = r"(now|clock_timestamp|statement_timestamp|transaction_timestamp)\(\)"
_UTC = r"'(Etc/)?(UTC|GMT)'::text"
_MOMENT = (
    rf"({_NOW}|CURRENT_TIMESTAMP(\(\d\))?|LOCALTIMESTAMP(\(\d\))?|CURRENT_DATE"
    rf"|\({_NOW} AT TIME ZONE {_UTC}\)|timezone\({_UTC}, {_NOW}\)"
    rf"|\(CURRENT_TIMESTAMP(\(\d\))? AT TIME ZONE {_UTC}\))"
)
_CONSTANT = rf"(\(?-?[\d.]+\)?|'([^']|'')*'|true|false|NULL|ARRAY\[\]){_TYPE}"
_NUMBERED = r"(nextval\('([^']|'')*'::regclass\)|gen_random_uuid\(\)|uuidv7\(\))"
_HARMLESS = rf"^(\(?{_CONSTANT}\)?{_TYPE}|\(?{_MOMENT}\)?{_TYPE}|{_NUMBERED}{_TYPE})$"

# Each row has what is there, and the statement that removes it.
_HAZARDS = """
WITH written AS (
    SELECT %(oid)s::oid AS oid, %(name)s AS name
),
alter_table AS (
    SELECT w.*, 'ALTER TABLE ' || w.name || ' ' AS alter FROM written w
),
columns AS (
    SELECT a.*, quote_ident(a.attname) AS quoted, d.oid AS default_oid,
        pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_attribute a
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = %(oid)s AND a.attnum > 0 AND NOT a.attisdropped
),
sequences AS (
    SELECT a.attnum, s.seqrelid, s.seqmax, s.seqincrement
    FROM columns a
    JOIN pg_depend d ON
        (d.classid = 'pg_attrdef'::regclass AND d.objid = a.default_oid)
        OR (
            a.attidentity <> '' AND d.deptype = 'i'
            AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
        )
    JOIN pg_sequence s ON s.seqrelid IN (d.objid, d.refobjid)
)
SELECT 'the constraint ' || pg_get_constraintdef(c.oid) || ', which an upsert meets before it adds',
    w.alter || 'DROP CONSTRAINT ' || quote_ident(c.conname)
FROM pg_constraint c
CROSS JOIN alter_table w
WHERE c.conrelid = w.oid
AND (c.contype = 'f' OR (c.contype = 'c' AND NOT %(is_ours)s))
UNION ALL
SELECT
    'rows that ' || c.conrelid::regclass || ' refers to, which cannot be deleted',
    format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.conrelid::regclass, c.conname)
FROM pg_constraint c
CROSS JOIN alter_table w
WHERE c.confrelid = w.oid AND c.contype = 'f' AND c.conrelid <> w.oid
UNION ALL
SELECT 'the trigger ' || quote_ident(t.tgname) || ', which is not ours and may fail or lose totals',
    'DROP TRIGGER ' || quote_ident(t.tgname) || ' ON ' || w.name
FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid
CROSS JOIN alter_table w
WHERE t.tgrelid = w.oid
AND NOT t.tgisinternal
AND t.tgenabled IN ('O', 'A')
AND p.pronamespace IS DISTINCT FROM to_regnamespace('rollup')
UNION ALL
SELECT 'the rule ' || quote_ident(r.rulename) || ', with which no upsert works',
    'DROP RULE ' || quote_ident(r.rulename) || ' ON ' || w.name
FROM pg_rewrite r
CROSS JOIN alter_table w
WHERE r.ev_class = w.oid
UNION ALL
SELECT 'the index ' || i.indexrelid::regclass || ', which is unique by something else than the key',
    CASE
        WHEN c.oid IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass
        ELSE w.alter || 'DROP CONSTRAINT ' || quote_ident(c.conname)
    END
FROM pg_index i
CROSS JOIN alter_table w
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
WHERE i.indrelid = w.oid
AND (i.indisunique OR i.indisexclusion)
AND i.indexprs IS NULL
AND (
    i.indisexclusion
    OR NOT (
        %(key)s::text[] <> '{}'
        AND %(key)s::text[] <@ (
            SELECT coalesce(array_agg(a.attname::text), '{}')
            FROM columns a
            WHERE a.attnum = ANY ((i.indkey::smallint[]) [0:i.indnkeyatts - 1])
        )
        OR EXISTS (
            SELECT
            FROM columns a
            WHERE a.attnum = ANY ((i.indkey::smallint[]) [0:i.indnkeyatts - 1])
            AND NOT a.attname = ANY (%(ours)s)
            AND (
                a.attnum IN (SELECT s.attnum FROM sequences s)
                OR a.expression ~ '^(gen_random_uuid|uuidv7)\\(\\)$'
            )
        )
    )
)
UNION ALL
SELECT
    'the index ' || i.indexrelid::regclass || ', whose expression may fail',
    'DROP INDEX ' || i.indexrelid::regclass
FROM pg_index i
CROSS JOIN alter_table w
WHERE i.indrelid = w.oid
AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
UNION ALL
SELECT 'the column ' || a.quoted || ' of the domain ' || t.oid::regtype || ', which is constrained',
    w.alter || 'ALTER ' || a.quoted || ' TYPE ' || format_type(t.typbasetype, t.typtypmod)
FROM columns a
JOIN pg_type t ON t.oid = a.atttypid
CROSS JOIN alter_table w
WHERE t.typtype = 'd'
AND (
    t.typnotnull
    OR t.typbasetype IN (SELECT b.oid FROM pg_type b WHERE b.typtype = 'd')
    OR EXISTS (SELECT FROM pg_constraint c WHERE c.contypid = t.oid)
)
UNION ALL
SELECT 'the generated column ' || a.quoted || ', whose expression may fail',
    w.alter || 'ALTER ' || a.quoted || ' DROP EXPRESSION'
FROM columns a
CROSS JOIN alter_table w
WHERE a.attgenerated = 's' OR (a.attgenerated <> '' AND a.attname = ANY (%(ours)s))
UNION ALL
SELECT
    'the default ' || a.expression || ' of ' || a.quoted || ', which may fail',
    w.alter || 'ALTER ' || a.quoted || CASE
        WHEN NOT a.attname = ANY (%(ours)s) THEN ' DROP DEFAULT'
        WHEN a.atttypid = 'timestamptz'::regtype THEN ' SET DEFAULT now()'
        WHEN a.atttypid = 'timestamp'::regtype THEN ' SET DEFAULT (now() AT TIME ZONE ''UTC'')'
        ELSE ' SET DEFAULT 0'
    END
FROM columns a
CROSS JOIN alter_table w
WHERE NOT %(is_ours)s
AND a.attgenerated = ''
AND a.expression !~ %(harmless)s
UNION ALL
SELECT 'the column ' || a.quoted || ', an identity that takes no other value',
    w.alter || 'ALTER ' || a.quoted || ' DROP IDENTITY'
FROM columns a
CROSS JOIN alter_table w
WHERE a.attidentity <> '' AND a.attname = ANY (%(ours)s)
UNION ALL
SELECT
    'the column ' || a.quoted || ', numbered at every write up to ' || s.seqmax,
    'ALTER SEQUENCE ' || s.seqrelid::regclass || ' AS bigint; '
        || w.alter || 'ALTER ' || a.quoted || ' TYPE bigint'
FROM sequences s
JOIN columns a ON a.attnum = s.attnum
CROSS JOIN alter_table w
WHERE s.seqmax < 2 ^ 53
OR s.seqincrement < 1
OR a.atttypid IN ('smallint'::regtype, 'integer'::regtype)
UNION ALL
SELECT 'partitions or heirs, which need not have room for every day', 'use a table that has none'
FROM pg_class c
CROSS JOIN alter_table w
WHERE c.oid = w.oid
AND (
    c.relkind = 'p'
    OR c.relispartition
    OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
)
ORDER BY 1
"""

_HAS_KEY = """
SELECT EXISTS (
    SELECT
    FROM pg_index i
    WHERE i.indrelid = %s
    AND i.indisunique
    AND i.indisvalid
    AND i.indimmediate
    AND i.indpred IS NULL
    AND i.indexprs IS NULL
    AND (
        SELECT array_agg(a.attname::text ORDER BY a.attname)
        FROM pg_attribute a
        WHERE a.attrelid = i.indrelid
        AND a.attnum = ANY ((i.indkey::smallint[]) [0:i.indnkeyatts - 1])
    ) = %s::text[]
)
"""


def has_key(session: Connection, oid: int, columns: Iterable[str]) -> bool:
    """Tell whether a table has a unique index on just these columns, in any order."""
    return session.execute(_HAS_KEY, (oid, sorted(columns))).fetchone() == (True,)


def hazards(session: Connection, record: Table, columns: Sequence[str]) -> list[str]:
    """Say what on the table of totals, in which we write these columns, can fail an upsert."""
    return _hazards(session, record.oid, record.name, columns, _KEY, is_ours=False)


def hazards_of_ours(session: Connection, shape: Shape, oid: int) -> list[str]:
    """Say what others have put on a table of our schema, beside its columns and checks."""
    columns = [name for name, column in shape.columns.items() if not column.is_identity]
    name = f"rollup.{ident(shape.name)}"
    return _hazards(session, oid, name, columns, shape.key, is_ours=True)


def not_durable(session: Connection, tables: Sequence[tuple[str, str]]) -> list[str]:
    """Say which of these tables, given by schema and name, and of our own, are not kept by WAL.

    Rows of an unlogged table are gone after a crash, while totals of them stay, or the reverse.
    """
    names = [schema for schema, _ in tables], [name for _, name in tables]
    return [
        f"{name} is {kind}, and its rows and totals would part: "
        + (
            f"ALTER TABLE {name} SET LOGGED"
            if kind == "unlogged"
            else "use an ordinary table, or detach it"
        )
        for name, kind in session.execute(_NOT_DURABLE, names)
    ]


def _hazards(
    session: Connection,
    oid: int,
    name: str,
    columns: Sequence[str],
    key: Sequence[str],
    *,
    is_ours: bool,
) -> list[str]:
    values: dict[str, Any] = {"oid": oid, "name": name, "ours": list(columns), "key": list(key)}
    values |= {"is_ours": is_ours, "harmless": _HARMLESS}
    with plainly(session):
        found = session.execute(_HAZARDS, values).fetchall()
    return [f"{name} has {what}: {cure}" for what, cure in found]
