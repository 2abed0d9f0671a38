"""The SQL of the benchmarks, which stands in files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    import psycopg

    from generator.database.connection import Connection

REFERENCE_TABLES = Path(__file__).parent.parent / "generator" / "demo" / "reference.sql"
"""The tables of Chatwoot."""


def named(name: str) -> LiteralString:
    """Return the text of a file in the folder `sql`."""
    return Path(__file__).with_name("sql").joinpath(f"{name}.sql").read_text()


def execute(session: Connection, name: str, **values: int) -> psycopg.Cursor[Any]:
    """Execute a file of the folder `sql`."""
    return session.execute(named(name), values or None)
