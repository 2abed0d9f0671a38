"""The demo's own database, made anew on a server that is there."""

from __future__ import annotations

import shlex
import shutil

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from generator.database.connection import Connection, connect
from generator.deploy.deploy import check_server
from generator.errors import DatabaseError

NAME = "reporting_rollups_demo"

_DROP = sql.SQL("DROP DATABASE IF EXISTS {}")
_CREATE = sql.SQL("CREATE DATABASE {} TEMPLATE template0")


def create(dsn: str, name: str = NAME) -> str:
    """Make the database, in place of one of the same name, and return its connection string.

    Raises DatabaseError where the server is not fit, this role may not create databases, or
    a session is connected to the one that is there.
    """
    with connect(dsn) as session:
        check_server(session)
        _drop(session, name)
        try:
            session.execute(_CREATE.format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise _refused(session, f"cannot create the database {name}", error) from error
    return make_conninfo(dsn, dbname=name)


def drop(dsn: str, name: str = NAME) -> None:
    """Remove the database, to which no session may be connected any more; else DatabaseError."""
    with connect(dsn) as session:
        _drop(session, name)


def command(own: str) -> str:
    """Write the command that looks into the database: psql if it is there, else ours.

    The password is left out: psql and we find it where they always do, or ask.
    """
    known = {key: value for key, value in conninfo_to_dict(own).items() if "password" not in key}
    program = "psql" if shutil.which("psql") else "python -m generator status --database-url"
    return f"{program} {shlex.quote(make_conninfo('', **known))}"


def _drop(session: Connection, name: str) -> None:
    try:
        session.execute(_DROP.format(sql.Identifier(name)))
    except psycopg.errors.ObjectInUse as error:
        raise DatabaseError(
            f"the database {name} of an earlier demo is in use",
            hint="end the sessions that are connected to it, then run the demo again",
        ) from error
    except psycopg.Error as error:
        raise _refused(session, f"cannot drop the database {name}", error) from error


def _refused(session: Connection, what: str, error: psycopg.Error) -> DatabaseError:
    return DatabaseError(
        f"{what}: {error.diag.message_primary or error}",
        hint=f"the demo needs a database of its own: name a role that may create one (ALTER ROLE "
        f"{session.info.user} CREATEDB), or no server, and an embedded one is started",
    )
