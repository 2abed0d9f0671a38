"""What an existing rollup table has that could make upserts fail or wait, from the catalog.

Whatever is not known to be harmless is an obstacle, and told with the statement that takes it away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.database import Connection
    from generator.tables import Table

# Unique indexes but for that on the key, and those on columns that fill themselves, such as an id.
_INDEXES = """
SELECT
    pg_get_indexdef(i.indexrelid),
    CASE
        WHEN c.conname IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass
        ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', i.indrelid::regclass, c.conname)
    END
FROM pg_index i
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.conrelid = i.indrelid
    AND c.contype IN ('p', 'u')
WHERE i.indrelid = %s
AND i.indisunique
AND (
    i.indpred IS NOT NULL
    OR i.indexprs IS NOT NULL
    OR NOT i.indimmediate
    OR NOT i.indisvalid
    OR (
        SELECT array_agg(a.attname::text ORDER BY a.attname)
        FROM pg_attribute a
        WHERE a.attrelid = i.indrelid
        AND a.attnum = ANY ((i.indkey::smallint[]) [0:i.indnkeyatts - 1])
    ) <> ARRAY ['account_id', 'date', 'dimension_id', 'dimension_type', 'metric']
)
AND NOT EXISTS (
    SELECT
    FROM pg_attribute a
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = i.indrelid
    AND a.attnum = ANY ((i.indkey::smallint[]) [0:i.indnkeyatts - 1])
    AND a.attname NOT IN ('account_id', 'date', 'dimension_id', 'dimension_type', 'metric')
    AND i.indpred IS NULL
    AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ '^(nextval|gen_random_uuid|uuid)')
)
ORDER BY 1
"""

# Every constraint but keys, those of NOT NULL, and what the catalog has of it under another kind.
_CONSTRAINTS = """
SELECT
    pg_get_constraintdef(c.oid)
        || CASE WHEN c.conrelid <> %(table)s THEN ' on ' || c.conrelid::regclass ELSE '' END,
    format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.conrelid::regclass, c.conname)
FROM pg_constraint c
WHERE (c.conrelid = %(table)s OR c.confrelid = %(table)s)
AND c.contype NOT IN ('p', 'u', 'n', 't')
ORDER BY c.conname
"""

_DOMAINS = """
SELECT
    format('%%I of the domain %%s', a.attname, t.oid::regtype),
    format(
        'ALTER TABLE %%s ALTER %%I TYPE %%s',
        a.attrelid::regclass, a.attname, format_type(t.typbasetype, t.typtypmod)
    )
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'd'
WHERE a.attrelid = %s
AND a.attnum > 0
AND NOT a.attisdropped
AND (t.typnotnull OR EXISTS (SELECT FROM pg_constraint c WHERE c.contypid = t.oid))
ORDER BY a.attnum
"""

_GENERATED = """
SELECT
    format('%%I, which is generated', a.attname),
    format('ALTER TABLE %%s ALTER %%I DROP EXPRESSION', a.attrelid::regclass, a.attname)
FROM pg_attribute a
WHERE a.attrelid = %s
AND a.attnum > 0
AND NOT a.attisdropped
AND a.attgenerated <> ''
ORDER BY a.attnum
"""

_TRIGGERS_AND_RULES = """
SELECT
    'the trigger ' || quote_ident(t.tgname),
    format('DROP TRIGGER %%I ON %%s', t.tgname, t.tgrelid::regclass)
FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = %(table)s
AND NOT t.tgisinternal
AND t.tgenabled <> 'D'
AND p.pronamespace IS DISTINCT FROM to_regnamespace('rollup')
UNION ALL
SELECT
    'the rule ' || quote_ident(w.rulename),
    format('DROP RULE %%I ON %%s', w.rulename, w.ev_class::regclass)
FROM pg_rewrite w
WHERE w.ev_class = %(table)s
ORDER BY 1
"""


def obstacles(session: Connection, table: Table) -> list[str]:
    """Say what of a table could fail an upsert or let it wait, and how to take that away."""
    queries = (_CONSTRAINTS, _INDEXES, _DOMAINS, _GENERATED, _TRIGGERS_AND_RULES)
    named = {"table": table.oid}
    found = [
        row
        for query in queries
        for row in session.execute(query, named if "%(table)s" in query else (table.oid,))
    ]
    return [
        f"{table.name} has {what}, which an upsert may fail on or wait for: {cure}"
        for what, cure in found
    ]
