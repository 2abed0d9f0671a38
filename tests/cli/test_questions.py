"""Questions go to the terminal by stderr, so that stdout holds nothing but the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import terminal
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

LEFT_OVER = (
    "INSERT INTO public.reporting_events_rollups (account_id, date, dimension_type, dimension_id,"
    " metric, count, sum_value, created_at, updated_at) VALUES"
    " (1, '2025-01-01', 'account', 1, 'reply_time', 1, 1, now(), now())"
)


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database with accounts and events, all of it covered."""
    session = desk(connect(database))
    mix(session)
    return session


def test_a_repair_asks_on_stderr_and_stdout_is_json(
    session: Session, database: str, tmp_path: Path
) -> None:
    session.execute(LEFT_OVER)
    file = tmp_path / "answer.json"
    with terminal("verify", "--repair", "--json", on=database, stdout=file) as screen:
        screen.until("Delete these totals? [y/N]: ").type("perhaps\n")
        screen.until("invalid input").until("[y/N]: ").type("y\n")
        assert screen.end() == 0
    assert file.read_text() == "[]\n"
    assert_exact(session)


def test_an_undeployment_asks_on_stderr_and_stdout_is_json(
    session: Session, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "answer.json"
    with terminal("undeploy", "--json", on=database, stdout=file) as screen:
        screen.until("Take out the triggers and the schema rollup? [y/N]: ").type("n\n")
        assert screen.end() == 130
    assert file.read_text() == ""
    with terminal("undeploy", "--json", on=database, stdout=file) as screen:
        screen.until("[y/N]: ").type("y\n")
        assert screen.end() == 0
    assert json.loads(file.read_text())["dropped"]


def test_a_backfill_asks_on_stderr_and_stdout_has_what_was_done(
    session: Session, database: str, tmp_path: Path
) -> None:
    session.execute("UPDATE rollup.accounts SET covered = '{}'")
    file = tmp_path / "answer"
    with terminal("backfill", on=database, stdout=file) as screen:
        screen.until("Account [all]: ").type("1\n").until("Begin? [y/N]: ")
        assert "Asia/Kolkata" in screen.shown
        screen.type("y\n")
        assert screen.end() == 0
    assert file.read_text().startswith("backfilled ")
    assert len(file.read_text().splitlines()) == 1
