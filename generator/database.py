"""The one module that connects."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from generator.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = psycopg.Connection[Any]

MINIMUM_VERSION = 14
_ENVIRONMENT = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")


def named(database_url: str | None) -> str | None:
    """Tell which database is meant: the one given, that of DATABASE_URL or that of PG* variables.

    Returns a libpq connection string, empty where the PG* variables say it all, or None where no
    database is named.
    """
    if database_url:
        return database_url
    if url := os.environ.get("DATABASE_URL"):
        return url
    return "" if any(os.environ.get(name) for name in _ENVIRONMENT) else None


@contextmanager
def connect(dsn: str) -> Iterator[Connection]:
    """Connect in autocommit mode: every statement, and every `transaction()`, commits by itself.

    Transactions are READ COMMITTED, whatever the role's default: rollups can be written in no other.
    A database that cannot be reached is a DatabaseError.
    """
    try:
        connection = psycopg.connect(dsn, autocommit=True, application_name="reporting-rollups")
    except psycopg.Error as error:
        raise DatabaseError(
            f"cannot connect: {str(error).strip()}",
            hint="check --database-url, DATABASE_URL or the PG* variables",
        ) from error
    with connection:
        connection.execute("SET default_transaction_isolation = 'read committed'")
        yield connection
