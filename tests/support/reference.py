"""Chatwoot's side of the database."""

from __future__ import annotations

from pathlib import Path

import psycopg

TABLES = Path(__file__).parents[2] / "generator" / "demo" / "reference.sql"


def install(dsn: str) -> None:
    """Create Chatwoot's tables, without any rollups, in an empty database."""
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLES.read_bytes())
