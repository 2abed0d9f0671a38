"""The server that a test session uses, and the databases that its tests get."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from psycopg.conninfo import make_conninfo
from pytest_postgresql.janitor import DatabaseJanitor

from generator.embedded import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from pytest_postgresql.executors import NoopExecutor

SETTINGS = {
    "max_connections": "200",
    "max_prepared_transactions": "20",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Connect(Protocol):
    """The type of the fixture `connect`."""

    def __call__(
        self, dsn: str, autocommit: bool = True, **options: Any
    ) -> psycopg.Connection[Any]: ...


@contextmanager
def server() -> Iterator[str]:
    """Give the connection string of the server to test on, a superuser's.

    It is that in TEST_DATABASE_URL (host, port, user, password and dbname; the rest goes into the
    PG* variables) or else a new one, gone afterwards, made by the programs in the folder
    TEST_PG_BIN or else by those that the product itself brings.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    programs = os.environ.get("TEST_PG_BIN")
    binaries = Path(programs) if programs else None
    with EmbeddedServer(binaries=binaries, ephemeral=True, settings=SETTINGS) as embedded:
        yield embedded.dsn()


def configure(config: pytest.Config, dsn: str) -> None:
    """Make pytest-postgresql's fixtures use a server."""
    with psycopg.connect(dsn) as connection:
        info = connection.info
        config.option.postgresql_host = info.host
        config.option.postgresql_port = info.port
        config.option.postgresql_user = info.user
        config.option.postgresql_password = info.password or None
        config.option.postgresql_maintenance_dbname = info.dbname
    config.option.postgresql_drop_test_database = True  # one that a killed session has left


@contextmanager
def clone(template: NoopExecutor) -> Iterator[str]:
    """Give the connection string of a copy of a template database; drop the copy afterwards."""
    whereabouts: dict[str, Any] = {
        "host": template.host,
        "port": template.port,
        "user": template.user,
        "password": template.password,
        "dbname": f"{template.dbname}_{secrets.token_hex(4)}",
    }
    with DatabaseJanitor(
        **whereabouts,
        template_dbname=template.template_dbname,
        maintenance_dbname=template.maintenance_dbname,
    ):
        yield make_conninfo(**whereabouts)
