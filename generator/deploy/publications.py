"""Whether publications let the rows of our tables change, told from the catalog with its cure.

PostgreSQL refuses to update or delete a row that a publication cannot tell apart: then every
writer of events fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.database.connection import Connection

_LISTS_SINCE = 150000
"""The first server version that can publish some columns or some rows of a table."""

_WRITTEN = """
WITH written AS (
    SELECT
        c.oid,
        quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
        c.relreplident,
        (
            SELECT array_agg(k.attnum)
            FROM pg_index i
            CROSS JOIN unnest(i.indkey::smallint[]) k (attnum)
            WHERE i.indrelid = c.oid
            AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END
        ) AS identity
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
    AND (
        (n.nspname, c.relname) = (%(schema)s, %(table)s)
        OR (n.nspname = 'rollup' AND c.relname !~ '^_?yoyo_')
    )
)
"""

_WITHOUT_IDENTITY = """
SELECT DISTINCT w.name, w.name = quote_ident(%(schema)s) || '.' || quote_ident(%(table)s)
FROM written w
JOIN pg_publication_tables t ON
    quote_ident(t.schemaname) || '.' || quote_ident(t.tablename) = w.name
JOIN pg_publication p ON p.pubname = t.pubname
WHERE (p.pubupdate OR p.pubdelete)
AND w.relreplident <> 'f'
AND w.identity IS NULL
ORDER BY 1
"""

# A list must have all of the identity, FULL being every column; a filter may read nothing else.
_IN_PART = """
SELECT
    w.name,
    quote_ident(p.pubname),
    CASE WHEN x.is_listed THEN 'a list of columns' ELSE 'a filter of rows' END
FROM written w
JOIN pg_publication_rel r ON r.prrelid = w.oid
JOIN pg_publication p ON p.oid = r.prpubid
CROSS JOIN LATERAL (
    SELECT
        r.prattrs IS NOT NULL
        AND (w.relreplident = 'f' OR NOT w.identity <@ r.prattrs::smallint[]) AS is_listed,
        w.relreplident <> 'f'
        AND EXISTS (
            SELECT
            FROM regexp_matches(r.prqual::text, ':varattno (\\d+)', 'g') m
            WHERE NOT m [1]::smallint = ANY (w.identity)
        ) AS is_filtered
) x
WHERE (p.pubupdate OR p.pubdelete)
AND (x.is_listed OR x.is_filtered)
ORDER BY 1, 2
"""


def problems(session: Connection, schema: str, table: str) -> list[str]:
    """Say by which publications a write of the table of totals, or of ours, would fail."""
    values = {"schema": schema, "table": table}
    found = [
        f"{name} is published and has no replica identity, so that writers would fail: "
        f"ALTER TABLE {name} REPLICA IDENTITY {'USING INDEX ...' if is_totals else 'FULL'}"
        for name, is_totals in session.execute(_WRITTEN + _WITHOUT_IDENTITY, values)
    ]
    if session.info.server_version >= _LISTS_SINCE:
        found += [
            f"{name} is published by {publication} with {what} that does not fit its replica "
            f"identity, so that writers would fail: ALTER PUBLICATION {publication} DROP TABLE "
            f"{name}; ALTER PUBLICATION {publication} ADD TABLE {name}"
            for name, publication, what in session.execute(_WRITTEN + _IN_PART, values)
        ]
    return found
