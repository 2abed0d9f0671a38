"""The one module that knows yoyo, which keeps the durable state: schema and tables."""

from __future__ import annotations

import getpass
import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict
from yoyo import get_backend, read_migrations

from generator.errors import DatabaseError

if TYPE_CHECKING:
    from generator.database import Connection

SCHEMA = "rollup"

_IS_MISSING = "SELECT to_regnamespace(%s) IS NULL"

_PACKAGED = Path(__file__).with_name("migrations")
_CHECKED_OUT = Path(__file__).parent.with_name("migrations")


def migrate(session: Connection, dsn: str) -> list[str]:
    """Apply the migrations that are missing and return their names, oldest first.

    yoyo keeps its tables in our schema, which has to exist before it starts, and takes no lock of
    its own: the caller holds one. It marks a migration as applied in a transaction of its own, so
    every migration can be applied twice.
    """
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    try:
        getpass.getuser()
    except (KeyError, OSError) as error:
        raise DatabaseError(
            "the user who runs this has no name, and migrations are logged under it",
            hint="set the environment variable USER",
        ) from error
    if session.execute(_IS_MISSING, (SCHEMA,)).fetchone() == (True,):
        session.execute(f"CREATE SCHEMA {SCHEMA}")
    with get_backend(_url(dsn, session.info.dbname)) as backend:
        missing = backend.to_apply(read_migrations(str(folder())))
        backend.apply_migrations(missing)
        return [migration.id for migration in missing]


def folder() -> Path:
    """Give the folder of migrations: within the package if installed, else beside it."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKED_OUT


def _url(dsn: str, database: str) -> str:
    """Write a connection string as yoyo's URL: all in the query, which alone is decoded.

    The database is named even where PGDATABASE or a service names it: yoyo's default is another.
    """
    parameters = {**conninfo_to_dict(dsn), "dbname": database, "schema": SCHEMA}
    return "postgresql+psycopg:///?" + urlencode(parameters, quote_via=quote)
