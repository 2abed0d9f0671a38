"""The SQL that a deployment would run, in its order, for psql or to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator import __version__
from generator.database.connection import connect, snapshot
from generator.database.locks import DEPLOY_KEY, LOCK_CLASS
from generator.deploy import migrate, script
from generator.deploy.plan import look
from generator.deploy.statements import Statement
from generator.escaping import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.database.connection import Connection
    from generator.database.patience import Patience
    from generator.registry import Registry

_HEAD = """\
-- What `deploy` of reporting-rollups {version} would run, as the database is now.
-- Where a lock is not to be had in time, deploy tries a step again; here, run the rest once more:
-- psql -X -v ON_ERROR_STOP=1 -f FILE

SET client_encoding = 'UTF8';

"""

_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED;"

_TURN = {"class": LOCK_CLASS, "key": DEPLOY_KEY}
_TAKE_TURN = Statement(text="SELECT pg_advisory_lock(%(class)s, %(key)s)", values=_TURN)
_END_TURN = Statement(text="SELECT pg_advisory_unlock(%(class)s, %(key)s)", values=_TURN)


def dry_run(dsn: str, registry: Registry, patience: Patience) -> str:
    """Write what `deploy` would run, changing nothing; what it would refuse is the same error."""
    with connect(dsn) as session, snapshot(session):
        session.execute(patience.setting)
        return "".join(_pieces(session, registry, patience))


def _pieces(session: Connection, registry: Registry, patience: Patience) -> Iterator[str]:
    _, changes = look(session, registry)
    yield _HEAD.format(version=__version__)
    yield "-- Deployments take turns.\n" + _TAKE_TURN.printed(session) + "\n"
    for title, statement in migrate.script(session):
        yield from _step(session, patience, title, [statement])
    tables = script.of_tables(changes)
    yield from _step(session, patience, "Create or complete tables.", tables)
    objects = script.of_objects(changes, tuple(map(str, changes.tables)))
    title = "Bring functions, views and triggers up to date, all or nothing."
    yield from _step(session, patience, title, objects)
    title = "Take over the time zones that the application keeps for its accounts."
    yield from _step(session, patience, title, script.of_accounts(registry))
    yield "\n" + _END_TURN.printed(session) + "\n"


def _step(
    session: Connection, patience: Patience, title: str, statements: Iterable[Statement]
) -> Iterator[str]:
    """Write a transaction under a comment; one that would do nothing is left out."""
    printed = [_commented(one) + one.printed(session) for one in statements]
    if printed:
        body = "\n\n".join((f"{_BEGIN}\n{patience.setting};", *printed))
        yield f"\n-- {title}\n{body}\n\nCOMMIT;\n"


def _commented(statement: Statement) -> str:
    if statement.lock is None:
        return ""
    on = ", ".join(statement.lock.relations)
    what = {"ROWS": f"rows of {on}", "SLOTS": "all slots"}.get(
        statement.lock.mode, f"{statement.lock.mode} on {on}"
    )
    return f"-- May wait for {visible(what)}: {visible(statement.why)}.\n"
