"""Statements with more events than one value may hold are handed on in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.render import limits
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact
from tests.support.write_modes import MODES

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

FOLD = "SELECT rollup.fold()"


@pytest.fixture(params=MODES)
def session(
    request: pytest.FixtureRequest,
    reference_database: str,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> Session:
    """Give a session with a database whose functions hand on 50 events at once."""
    monkeypatch.setattr(limits, "BATCH", 50)
    deploy(reference_database, MODES[request.param])
    return desk(connect(reference_database))


def test_every_event_of_a_large_statement_is_counted_once(session: Session) -> None:
    mix(session, 700)
    assert_exact(session)
    session.execute("UPDATE public.reporting_events SET value = value + 1, user_id = 77")
    assert_exact(session)
    session.execute("DELETE FROM public.reporting_events WHERE id % 5 > 0")
    assert_exact(session)
    session.execute(FOLD)
    assert_exact(session)


def test_a_large_statement_of_a_column_that_is_gone_is_not_failed(session: Session) -> None:
    session.execute("ALTER TABLE public.reporting_events RENAME conversation_id TO thread_id")
    session.execute(
        "INSERT INTO public.reporting_events (name, value, account_id, created_at, updated_at)"
        " SELECT 'reply_time', 1, 1, '2026-03-07', now() FROM generate_series(1, 200)"
    )
    covered = session.execute("SELECT count(*) FROM rollup.coverage WHERE covered <> '{}'")
    assert covered.fetchone() == (0,)


@pytest.mark.parametrize("count", [49, 50, 51, 100, 101])
def test_a_batch_may_end_with_a_statement(session: Session, count: int) -> None:
    session.execute("CALL rollup.backfill()")
    session.execute(
        "INSERT INTO public.reporting_events (name, value, account_id, created_at, updated_at)"
        " SELECT 'reply_time', 1, 1 + i %% 3, '2026-03-07', now() FROM generate_series(1, %s) i",
        (count,),
    )
    assert_exact(session)


def test_more_is_folded_than_one_value_holds(session: Session, connect: Connect) -> None:
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    mix(session, 400)
    session.execute("COMMIT")
    pending = session.execute("SELECT count(*) FROM rollup.pending_events").fetchone()
    assert pending is not None
    assert pending[0] > 200
    session.execute("SELECT rollup.fold_pending(ARRAY [1, 2, 3], 0, NULL)")
    assert session.execute("SELECT count(*) FROM rollup.pending_events").fetchone() == (0,)
    assert_exact(session)
