"""The one module that knows yoyo, which keeps the durable state: schema and tables."""

from __future__ import annotations

import getpass
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict
from yoyo import get_backend, read_migrations
from yoyo.migrations import topological_sort

from generator.database.connection import ENCODING
from generator.deploy.statements import Statement
from generator.errors import DatabaseError
from generator.quoting import literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.database.connection import Connection

SCHEMA = "rollup"

_IS_MISSING = "SELECT to_regnamespace(%s) IS NULL"

_HAS_MIGRATIONS = "SELECT to_regclass('rollup._yoyo_migration') IS NOT NULL"

_APPLIED = "SELECT m.migration_hash FROM rollup._yoyo_migration m"

_MAY_READ = """
SELECT coalesce(has_table_privilege(to_regclass('rollup._yoyo_migration'), 'SELECT'), false)
"""

# What yoyo makes in its version 2, which it takes over as it is.
_TABLES = """
CREATE TABLE IF NOT EXISTS rollup.yoyo_lock (
    locked integer DEFAULT 1 PRIMARY KEY,
    ctime timestamp,
    pid integer NOT NULL
);
CREATE TABLE IF NOT EXISTS rollup._yoyo_log (
    id varchar(36) PRIMARY KEY,
    migration_hash varchar(64),
    migration_id varchar(255),
    operation varchar(10),
    username varchar(255),
    hostname varchar(255),
    comment varchar(255),
    created_at_utc timestamp
);
CREATE TABLE IF NOT EXISTS rollup._yoyo_version (
    version integer PRIMARY KEY,
    installed_at_utc timestamp
);
CREATE TABLE IF NOT EXISTS rollup._yoyo_migration (
    migration_hash varchar(64) PRIMARY KEY,
    migration_id varchar(255),
    applied_at_utc timestamp
);
INSERT INTO rollup._yoyo_version VALUES (2, now() AT TIME ZONE 'UTC') ON CONFLICT DO NOTHING;
"""

_MARK = """
INSERT INTO rollup._yoyo_log VALUES (
    gen_random_uuid()::text, %(hash)s, %(id)s, 'apply', current_user, 'psql', NULL,
    now() AT TIME ZONE 'UTC'
);
INSERT INTO rollup._yoyo_migration VALUES (%(hash)s, %(id)s, now() AT TIME ZONE 'UTC');
"""

_PACKAGED = Path(__file__).parents[1] / "migrations"
_CHECKED_OUT = Path(__file__).parents[2] / "migrations"


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


def pending(session: Connection) -> list[str]:
    """Name the migrations that are missing, oldest first; nothing is changed, as yoyo would."""
    return [migration.id for migration in _missing(session)]


def script(session: Connection) -> Iterator[tuple[str, Statement]]:
    """Write the SQL that applies each migration that is missing, under a title; nothing is changed.

    The migrations are yoyo's, and the rest is what it would write down; as another program runs
    this, it is their name that is logged.
    """
    missing = _missing(session)
    if session.execute(_IS_MISSING, (SCHEMA,)).fetchone() == (True,):
        yield f"The schema {SCHEMA}.", Statement(text=f"CREATE SCHEMA {SCHEMA}")
    if missing and session.execute(_HAS_MIGRATIONS).fetchone() != (True,):
        yield "What yoyo keeps of migrations.", Statement(text=_TABLES)
    for migration in missing:
        mark = _MARK % {"hash": literal(migration.hash), "id": literal(migration.id)}
        text = Path(migration.path).read_text("utf-8")
        yield f"Migration {migration.id}.", Statement(text=f"{text}\n{mark.strip()}")


def _missing(session: Connection) -> list[Any]:
    applied: set[str] = set()
    if session.execute(_HAS_MIGRATIONS).fetchone() == (True,):
        applied = {hash_ for [hash_] in session.execute(_APPLIED)}
    return [one for one in _all() if one.hash not in applied]


def _all() -> list[Any]:
    return list(topological_sort(read_migrations(str(folder()))))


def applied(session: Connection) -> list[str] | None:
    """Give the SQL of the migrations that are applied, oldest first.

    None where that is not known: this role may not read it, or nothing is written down.
    """
    if session.execute(_MAY_READ).fetchone() != (True,):
        return None
    known = {hash_ for [hash_] in session.execute(_APPLIED)}
    return [Path(one.path).read_text("utf-8") for one in _all() if one.hash in known] or None


def texts() -> list[str]:
    """Give the SQL of all migrations, oldest first."""
    return [Path(one.path).read_text("utf-8") for one in _all()]


def folder() -> Path:
    """Give the folder of migrations: within the package if installed, else beside it."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKED_OUT


def _url(dsn: str, database: str) -> str:
    """Write a connection string as yoyo's URL: all in the query, which alone is decoded.

    The database is named even where PGDATABASE or a service names it: yoyo's default is another.
    """
    parameters = {
        **conninfo_to_dict(dsn),
        "dbname": database,
        "client_encoding": ENCODING,
        "schema": SCHEMA,
    }
    return "postgresql+psycopg:///?" + urlencode(parameters, quote_via=quote)
