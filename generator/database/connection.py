"""The one module that connects."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from generator.database import loading
from generator.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = psycopg.Connection[Any]

MINIMUM_VERSION = 14
ENCODING = "utf8"
"""What text is sent and received in, whatever the database's own encoding."""

_ENVIRONMENT = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")

_SETTINGS = """
SELECT
    pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),
    pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
    pg_catalog.set_config('DateStyle', 'ISO', false),
    pg_catalog.set_config('IntervalStyle', 'postgres', false)
"""

PLAIN = """
SELECT
    set_config('search_path', '', true),
    set_config('quote_all_identifiers', 'off', true),
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO', true),
    set_config('IntervalStyle', 'postgres', true),
    set_config('extra_float_digits', '1', true)
"""


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

    Transactions are READ COMMITTED, whatever the role's default: rollups are written in no other.
    Moments and intervals come in the style that psycopg can read. Nothing is found by a schema that
    is not named, so that no other function or operator can stand in for one of the server's; a view
    that is created keeps what it has found.

    A database that cannot be reached is a DatabaseError.
    """
    try:
        connection = psycopg.connect(
            dsn, autocommit=True, application_name="reporting-rollups", client_encoding=ENCODING
        )
    except psycopg.Error as error:
        raise DatabaseError(
            f"cannot connect: {str(error).strip()}",
            hint="check --database-url, DATABASE_URL or the PG* variables",
        ) from error
    loading.register(connection)
    with connection:
        connection.execute(_SETTINGS)
        yield connection


@contextmanager
def plainly(session: Connection) -> Iterator[None]:
    """Within the block the catalog prints a definition the same way, whatever has been set.

    The block is rolled back, its settings and locks with it: it is for looking.
    """
    with session.transaction(force_rollback=True):
        session.execute(PLAIN)
        yield


@contextmanager
def snapshot(session: Connection) -> Iterator[None]:
    """Within the block all is read as it was at one moment, and nothing can be written."""
    session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    session.read_only = True
    try:
        with session.transaction():
            yield
    finally:
        session.isolation_level = session.read_only = None
