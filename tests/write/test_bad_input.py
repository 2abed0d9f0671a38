"""Bad input to the functions, and events at the bounds of their types: nothing is ever lost."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator import registry
from generator.deploy.deploy import deploy
from generator.operate import status
from tests.support import databases
from tests.support.events import (
    HANDOFF,
    desk,
    mix,
    recorded_and_pending,
    rollups,
    row_versions,
    write,
)
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_postgresql.executors import NoopExecutor

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

DAY = "2026-03-09"
BACKWARDS = "'2026-03-12', '2026-03-08'"
UNCOVER = "UPDATE rollup.accounts SET covered = '{}'"
SURVIVORS = """
SELECT 'account', a.account_id, concat_ws(' ', a.timezone, a.wanted, a.sealed)
FROM rollup.accounts a
UNION ALL
SELECT 'event', e.id, e::text FROM public.reporting_events e
"""
SCOPED = {
    "drift": "SELECT * FROM rollup.drift({})",
    "rebuild": "SELECT rollup.rebuild({})",
    "backfill": "CALL rollup.backfill({})",
    "backfill_chunks": "SELECT since::text FROM rollup.backfill_chunks({})",
}

READ_ONLY = "BEGIN READ ONLY; "
REPEATABLE = "BEGIN ISOLATION LEVEL REPEATABLE READ; "
SERIALIZABLE = "BEGIN ISOLATION LEVEL SERIALIZABLE; "
PURGE = f"CALL rollup.purge_events('{DAY}', 1)"
ZONE_OF_1 = "SELECT rollup.set_timezone(1, 'UTC')"
REBUILD, FOLD = "SELECT rollup.rebuild()", "SELECT rollup.fold()"
BACKFILL = f"{UNCOVER}; CALL rollup.backfill()"

REFUSED: dict[str, tuple[str, str, str]] = {
    "a zone of 10 000 letters": (
        "SELECT rollup.set_timezone(1, repeat('x', 10000))", "22023", "pg_timezone_names"
    ),
    "purging before -infinity": (
        "CALL rollup.purge_events('-infinity')", "22004", "purge_events(before)"
    ),
    "purging before the day after the last": (
        "CALL rollup.purge_events('5874897-12-31', 1)", "22023", "today at the latest"
    ),
    "purging the events of no account": (
        f"CALL rollup.purge_events('{DAY}', 99)", "22023", "rollup.accounts"
    ),
    "a chunk of no account": (
        f"SELECT rollup.purge_chunk(99, '{DAY}', 1)", "22023", "rollup.accounts"
    ),
    "a chunk of no size": (
        f"SELECT rollup.purge_chunk(1, '{DAY}', -1)", "2201W", ""
    ),
    "read-only set_timezone": (READ_ONLY + ZONE_OF_1, "25006", ""),
    "read-only rebuild": (READ_ONLY + REBUILD, "25006", ""),
    "read-only fold": (READ_ONLY + FOLD, "25006", ""),
    "read-only purge": (READ_ONLY + PURGE, "25006", ""),
    "repeatable rebuild": (REPEATABLE + REBUILD, "25001", "READ COMMITTED"),
    "repeatable fold": (REPEATABLE + FOLD, "25001", "READ COMMITTED"),
    "repeatable purge": (REPEATABLE + PURGE, "25001", "READ COMMITTED"),
    "repeatable backfill": (REPEATABLE + BACKFILL, "25001", "READ COMMITTED"),
    "serializable backfill": (SERIALIZABLE + BACKFILL, "25001", "READ COMMITTED"),
    "backfill in a transaction": ("BEGIN; " + BACKFILL, "2D000", ""),
}  # fmt: skip

HARMLESS = {
    "fold no account": "SELECT rollup.fold(99)",
    "fold NULL": "SELECT rollup.fold(NULL)",
    "read-only drift": READ_ONLY + "SELECT * FROM rollup.drift()",
    "read-only plan": READ_ONLY + "SELECT * FROM rollup.backfill_chunks()",
    "read-only views": READ_ONLY + "TABLE rollup.current_rollups; TABLE rollup.status;"
    " TABLE rollup.current_members; TABLE rollup.coverage",
    "repeatable drift": REPEATABLE + "SELECT * FROM rollup.drift()",
    "repeatable set_timezone": REPEATABLE + ZONE_OF_1,
    "serializable drift": SERIALIZABLE + "SELECT * FROM rollup.drift()",
    "everything and back": f"BEGIN; {ZONE_OF_1}; {REBUILD}; {FOLD};"
    f" SELECT rollup.purge_chunk(2, '{DAY}', 9); TRUNCATE public.reporting_events",
}

SCOPES = {
    "NULL": "NULL, NULL, NULL",
    "no days": "1, '2026-03-10', '2026-03-10'",
    "all days": "1, '-infinity', 'infinity'",
    "from the last day on": "1, '5874897-12-30'",
    "until the first day": "1, NULL, '4714-11-24 BC'",
    "from the first day on": "1, '4714-11-24 BC'",
    "until the last day": "1, NULL, '5874897-12-31'",
}
CHUNKS = "SELECT since::text, until::text FROM rollup.backfill_chunks(1, NULL, NULL, {})"

BIGGER = """
ALTER TABLE public.reporting_events
    ALTER account_id TYPE bigint,
    ALTER user_id TYPE bigint,
    ALTER inbox_id TYPE bigint,
    ALTER conversation_id TYPE bigint,
    ALTER created_at DROP NOT NULL
"""
COUNT_404 = """
SELECT count(*) FROM rollup.current_rollups
WHERE dimension_type = 'agent' AND dimension_id = 404
"""
BOUNDS = (2**63 - 1, -(2**63), 2**62 + 255, -(2**31) - 1)
LEVELS = pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])


def _busy(session: Session) -> Session:
    """Give a session a desk with 130 events, 30 of them pending."""
    desk(session)
    mix(session)
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    mix(session, 30)
    session.execute("COMMIT")
    return session


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    return _busy(connect(database))


@pytest.fixture(scope="module")
def shared(deployed_template: NoopExecutor) -> Iterator[Session]:
    """Connect to a desk for tests that leave its events and accounts as they are."""
    with (
        databases.clone(deployed_template) as dsn,
        psycopg.connect(dsn, autocommit=True) as session,
    ):
        yield _busy(session)


def survivors(session: Session) -> list[tuple[Any, ...]]:
    """List what no mistake may change: the events, and the zones and sealed days of accounts."""
    return sorted(session.execute(SURVIVORS).fetchall())


def attempt(session: Session, statements: str) -> None:
    for statement in statements.split("; "):
        session.execute(statement)


@pytest.mark.parametrize(("statements", "sqlstate", "hint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_an_error_and_changes_nothing(
    shared: Session, statements: str, sqlstate: str, hint: str
) -> None:
    before = survivors(shared), row_versions(shared)
    with pytest.raises(psycopg.Error) as error:
        attempt(shared, statements)
    shared.execute("ROLLBACK")
    assert error.value.sqlstate == sqlstate
    assert hint in (error.value.diag.message_hint or "")
    assert (survivors(shared), row_versions(shared)) == before
    assert_exact(shared)


@pytest.mark.parametrize("statements", HARMLESS.values(), ids=HARMLESS)
def test_what_has_nothing_to_do_does_nothing(shared: Session, statements: str) -> None:
    before = survivors(shared)
    attempt(shared, statements)
    if "BEGIN" in statements:
        shared.execute("ROLLBACK")
    assert survivors(shared) == before
    assert_exact(shared)


@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_any_account_and_any_day_is_a_scope(shared: Session, scope: str) -> None:
    before = survivors(shared)
    for call in SCOPED.values():
        shared.execute(UNCOVER)
        shared.execute(call.format(scope))
        assert survivors(shared) == before
        assert_exact(shared)


@pytest.mark.parametrize("account", [99, 2**63 - 1, -(2**63)])
def test_an_account_that_there_is_not_is_an_error(shared: Session, account: int) -> None:
    before = survivors(shared), row_versions(shared)
    for call in SCOPED.values():
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="unknown account"):
            shared.execute(call.format(account))
    assert (survivors(shared), row_versions(shared)) == before


def test_an_account_without_a_zone_can_be_compared_and_rebuilt_but_not_backfilled(
    shared: Session,
) -> None:
    shared.execute("INSERT INTO public.accounts (id, name) VALUES (98, 'Without')")
    before = survivors(shared), row_versions(shared)
    for name, call in SCOPED.items():
        if "backfill" in name:
            with pytest.raises(psycopg.errors.InvalidParameterValue, match="no time zone") as error:
                shared.execute(call.format(98))
            assert "rollup.set_timezone(98, " in (error.value.diag.message_hint or "")
        else:
            shared.execute(call.format(98))
    assert (survivors(shared), row_versions(shared)) == before


@pytest.mark.parametrize("call", SCOPED.values(), ids=SCOPED)
def test_days_that_end_before_they_begin_are_an_error_with_a_hint(
    shared: Session, call: str
) -> None:
    before = survivors(shared), row_versions(shared)
    shared.execute(UNCOVER)
    for account in ("1", "NULL"):
        with pytest.raises(psycopg.Error) as error:
            shared.execute(call.format(f"{account}, {BACKWARDS}"))
        assert (error.value.diag.sqlstate or "")[:2] == "22"
        assert error.value.diag.message_hint
    assert (survivors(shared), row_versions(shared)) == before
    assert_exact(shared)


def test_days_from_one_infinity_to_the_other_are_all_days(shared: Session) -> None:
    shared.execute(UNCOVER)
    shared.execute("SELECT rollup.rebuild(NULL, '-infinity', 'infinity')")
    assert shared.execute("SELECT DISTINCT state FROM rollup.status").fetchall() == [("covered",)]
    assert_exact(shared)


@pytest.mark.parametrize("size", ["0", "-5", "NULL", "1", f"{2**63 - 1}"])
def test_a_plan_in_chunks_of_any_size_leaves_no_day_out(shared: Session, size: str) -> None:
    shared.execute(UNCOVER)
    chunks = shared.execute(CHUNKS.format(size)).fetchall()
    assert chunks[0][0] is chunks[-1][1] is None
    assert all(one[1] == next_[0] for one, next_ in pairwise(chunks))
    assert_exact(shared)


def grow(session: Session, database: str) -> None:
    """Give the columns room, which a deployment takes over and a backfill covers again."""
    session.execute(BIGGER)
    deploy(database, registry.load(None))
    session.execute("CALL rollup.backfill()")


@LEVELS
def test_ids_at_the_bounds_of_bigint_are_counted(
    session: Session, database: str, connect: Connect, level: str
) -> None:
    grow(session, database)
    for id_ in BOUNDS:
        session.execute("SELECT rollup.set_timezone(%s, 'UTC'), rollup.rebuild(%s)", (id_, id_))
    writer = connect(database)
    writer.execute(f"SET default_transaction_isolation = '{level}'")
    before = recorded_and_pending(session)
    for id_ in BOUNDS:
        ids = {"account_id": id_, "user_id": id_, "inbox_id": id_, "conversation_id": id_}
        write(writer, **ids, id=id_)
        write(writer, **ids, name=HANDOFF)
        write(writer, **ids, name=HANDOFF, created_at="2026-03-08")
    writer.execute("UPDATE public.reporting_events SET user_id = ~user_id")
    assert_exact(session)
    assert recorded_and_pending(session) != before
    session.execute(FOLD)
    assert_exact(session)
    session.execute(REBUILD)
    assert_exact(session)
    for id_ in BOUNDS:
        assert session.execute("SELECT * FROM rollup.drift(%s)", (id_,)).fetchall() == []
        shown = "SELECT count(*) FROM rollup.current_rollups WHERE account_id = %s"
        assert session.execute(shown, (id_,)).fetchone() == (9,)
    writer.execute("DELETE FROM public.reporting_events WHERE id % 2 = 0")
    assert_exact(session)


@LEVELS
def test_events_of_no_moment_are_not_counted_until_they_have_one(
    session: Session, database: str, level: str
) -> None:
    grow(session, database)
    session.execute(f"SET default_transaction_isolation = '{level}'")
    for name in ("reply_time", HANDOFF):
        write(session, name=name, created_at=None, user_id=404)
    session.execute("RESET default_transaction_isolation")
    for statement in (FOLD, REBUILD, "CALL rollup.backfill()", "SELECT * FROM rollup.drift()"):
        session.execute(statement)
        assert session.execute(COUNT_404).fetchone() == (0,)
        assert_exact(session)
    session.execute(f"SET default_transaction_isolation = '{level}'")
    session.execute(f"UPDATE public.reporting_events SET created_at = '{DAY}' WHERE user_id = 404")
    assert session.execute(COUNT_404).fetchone() == (2,)
    assert_exact(session)
    session.execute("UPDATE public.reporting_events SET created_at = NULL")
    assert rollups(session) == []
    assert_exact(session)


def test_nothing_of_this_leaves_an_object_stale(session: Session, database: str) -> None:
    grow(session, database)
    assert status.inspect(session, registry.load(None)).is_current
    assert_exact(session)
