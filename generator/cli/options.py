"""Options that several commands share, and the database and registry that they lead to."""

from __future__ import annotations

import math
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click
import psycopg

from generator import registry
from generator.cli.console import errors
from generator.cli.moments import WORDS, Day
from generator.database import permissions
from generator.database.connection import connect, named
from generator.database.patience import Patience
from generator.errors import DatabaseError
from generator.operate.backfill import CHUNK_EVENTS
from generator.operate.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.database.connection import Connection

Command = TypeVar("Command", bound="Callable[..., Any]")

READING = ("report", "status", "verify")
"""Commands for which a role needs to read, and no more."""


class AccountId(click.ParamType[int]):
    """An id that a bigint can hold; the help does not spell out its bounds."""

    name = "id"
    _bigint = click.IntRange(-(2**63), 2**63 - 1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number; where it is none, or out of range, the use is wrong."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"{value!r} is not the id of an account", param, ctx)
        return self._bigint.convert(number, param, ctx)


class Seconds(click.ParamType[float]):
    """A number of seconds, up to a day."""

    name = "seconds"

    def __init__(self, least: float) -> None:
        self._range = click.FloatRange(least, 86_400)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the number; where it is none, or out of range, the use is wrong."""
        seconds = self._range.convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds


class Registry(click.ParamType[Any]):
    """A registry file, loaded and validated."""

    name = "file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> registry.Registry:
        """Load the file; a registry that is not valid is an error of ours, not of usage."""
        with errors():
            return registry.load(Path(value))


def with_database(command: Command) -> Command:
    """Add --database-url."""
    return click.option(
        "--database-url",
        metavar="URL",
        help="The database: a URL or libpq connection string.  [default: what DATABASE_URL or the "
        "PG* variables name]",
    )(command)


def with_registry(command: Command) -> Command:
    """Add --registry."""
    return click.option(
        "--registry",
        "registry_",
        type=Registry(),
        default=str(registry.DEFAULT),
        show_default="the packaged one, for Chatwoot",
        help="The registry: what is counted, for whom, and under which names.",
    )(command)


def with_account(command: Command) -> Command:
    """Add --account."""
    return click.option(
        "--account", "account_id", type=AccountId(), help="One account only.  [default: all]"
    )(command)


def with_json(command: Command) -> Command:
    """Add --json: nothing but JSON on stdout; what else there is to say goes to stderr."""
    return click.option("--json", "json_", is_flag=True, help="Print JSON, for programs.")(command)


def with_days(command: Command) -> Command:
    """Add --since and --until."""
    until = click.option("--until", type=Day(), metavar="DAY", help="Only days before this one.")
    since = click.option(
        "--since",
        type=Day(),
        metavar="DAY",
        help=f"Only this day and those after it: YYYY-MM-DD, {WORDS}.",
    )
    return since(until(command))


def with_patience(command: Command) -> Command:
    """Add --lock-timeout and --attempts, given as one Patience."""

    @click.option(
        "--lock-timeout",
        type=Seconds(0.01),
        default=Patience().lock_timeout,
        show_default=True,
        metavar="SECONDS",
        help="How long one attempt at a lock may hold up writers.",
    )
    @click.option(
        "--attempts",
        type=click.IntRange(min=1),
        default=Patience().attempts,
        show_default=True,
        help="How often to try for a lock before giving up.",
    )
    @wraps(command)
    def with_both(*, lock_timeout: float, attempts: int, **others: Any) -> Any:
        return command(**others, patience=Patience(lock_timeout=lock_timeout, attempts=attempts))

    return cast("Command", with_both)


def with_pace(command: Command) -> Command:
    """Add --chunk-events, and --pause, --max-load and --chunk-timeout, given as one Pace."""

    @click.option(
        "--pause",
        type=Seconds(0),
        default=0.0,
        metavar="SECONDS",
        help="Rest for so long after each chunk.",
    )
    @click.option(
        "--max-load",
        type=click.IntRange(min=0),
        metavar="SESSIONS",
        help="Before each chunk, wait while more sessions of others than that are at work.",
    )
    @click.option(
        "--chunk-timeout",
        type=Seconds(0.001),
        metavar="SECONDS",
        help="Undo a chunk that takes longer, and stop.",
    )
    @click.option(
        "--chunk-events",
        type=click.IntRange(1, 10**9),
        default=CHUNK_EVENTS,
        show_default=True,
        help="About how many events to do in one transaction.",
    )
    @wraps(command)
    def with_all(
        *, pause: float, max_load: int | None, chunk_timeout: float | None, **others: Any
    ) -> Any:
        pace = Pace(pause=pause, max_load=max_load, chunk_timeout=chunk_timeout)
        return command(**others, pace=pace)

    return cast("Command", with_all)


def dsn_of(database_url: str | None) -> str:
    """Give the connection string of the database that is named; that none is, is an error."""
    dsn = named(database_url)
    if dsn is None:
        raise DatabaseError(
            "no database is named",
            hint="give --database-url, or set DATABASE_URL or the PG* variables (PGDATABASE, "
            "PGHOST, PGSERVICE, ...); only `demo` brings a server of its own",
        )
    return dsn


@contextmanager
def session_of(database_url: str | None) -> Iterator[Connection]:
    """Connect to the database that is named; where a reader lacks a right, name the GRANT."""
    with connect(dsn_of(database_url)) as session:
        try:
            yield session
        except psycopg.errors.InsufficientPrivilege as error:
            message = error.diag.message_primary or str(error)
            if error.diag.message_hint or not _is_reading():
                raise
            raise DatabaseError(message, hint=permissions.missing(session, message)) from error


def _is_reading() -> bool:
    """Tell whether the command changes nothing: another is to be run as the owner."""
    context = click.get_current_context(silent=True)
    if context is None:
        return False
    return context.find_root().invoked_subcommand in READING and not context.params.get("repair")
