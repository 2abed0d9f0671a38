"""The command line on a terminal: what it asks, and what an answer does."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from generator.database.locks import LOCK_CLASS
from generator.durations import duration
from tests.support.command import plain_lines, run, succeed, terminal
from tests.support.events import ZONES, mix
from tests.support.oracle import assert_exact, assert_exact_where_covered
from tests.support.waiting import await_slot_waiters

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

LONG_HISTORY = """
INSERT INTO public.reporting_events (name, value, account_id, created_at, updated_at)
SELECT 'reply_time', 1, 2, timestamp '2019-01-01' + i * interval '1 hour', now()
FROM generate_series(1, 45000) i
"""

COVERED = "SELECT a.account_id FROM rollup.accounts a WHERE a.covered = '{(,)}' ORDER BY 1"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database with the history of three accounts, none of it backfilled."""
    session = connect(database)
    session.execute("SET session_replication_role = replica")
    mix(session)
    session.execute("RESET session_replication_role")
    for account, zone in ZONES.items():
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    return session


def covered(session: Session) -> list[int]:
    return [account for (account,) in session.execute(COVERED)]


def test_backfill_asks_for_the_account_and_before_it_begins(
    session: Session, database: str
) -> None:
    with terminal("backfill", on=database) as screen:
        screen.until("Account [all]:")
        assert all(zone in screen.shown for zone in ZONES.values())
        screen.type("2\n").until("Begin? [y/N]:")
        assert ZONES[2] in screen.shown
        assert ZONES[1] not in screen.shown
        assert covered(session) == []
        assert screen.type("y\n").end() == 0
    assert "backfilled" in screen.shown
    assert covered(session) == [2]
    assert_exact_where_covered(session)


def test_backfill_takes_all_accounts_unless_told_otherwise(session: Session, database: str) -> None:
    with terminal("backfill", on=database) as screen:
        screen.until("Account [all]:").type("\n").until("Begin?").type("y\n")
        assert screen.end() == 0
    assert covered(session) == [1, 2, 3]
    assert_exact(session)


def test_backfill_asks_again_for_an_account_that_is_none(session: Session, database: str) -> None:
    with terminal("backfill", on=database) as screen:
        screen.until("Account [all]:").type("7\n").until("is not one of")
        screen.until("Account [all]:").type("3\n").until("Begin?").type("y\n")
        assert screen.end() == 0
    assert covered(session) == [3]


@pytest.mark.parametrize("answer", ["n\n", "\n"])
def test_backfill_does_nothing_when_one_declines(
    answer: str, session: Session, database: str
) -> None:
    with terminal("backfill", "--account", "1", on=database) as screen:
        screen.until("Begin? [y/N]:").type(answer)
        assert screen.end() == 0
    assert covered(session) == []
    assert session.execute("TABLE public.reporting_events_rollups").fetchall() == []


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_a_question_can_be_refused(key: str, session: Session, database: str) -> None:
    with terminal("backfill", on=database) as screen:
        assert screen.until("Account [all]:").type(key).end() == 130
    assert "Aborted" in screen.shown
    assert "Traceback" not in screen.shown
    assert covered(session) == []


def test_backfill_asks_nothing_with_yes(session: Session, database: str) -> None:
    with terminal("backfill", "--yes", on=database) as screen:
        assert screen.end() == 0
    assert "Account [" not in screen.shown
    assert "Begin?" not in screen.shown
    assert covered(session) == [1, 2, 3]


def test_backfill_warns_of_a_long_history(session: Session, database: str) -> None:
    session.execute("SET session_replication_role = replica")
    session.execute(LONG_HISTORY)
    with terminal("backfill", "--account", "2", on=database) as screen:
        screen.until("Begin?")
        assert "account 2 has more than 730 days of history" in screen.shown
        assert screen.type("n\n").end() == 0


def test_interrupting_a_backfill_keeps_what_is_done_and_the_next_one_goes_on(
    session: Session, database: str, connect: Connect
) -> None:
    holder = connect(database)
    holder.execute("SELECT pg_advisory_lock(%s, 2)", (LOCK_CLASS,))
    with terminal("backfill", "--yes", "--chunk-events", "5", on=database) as screen:
        await_slot_waiters(session)
        assert screen.type("\x03").end() == 130
    assert "interrupted; what is done is kept" in screen.shown
    assert "run the same command again" in screen.shown
    assert "Traceback" not in screen.shown
    assert covered(session) == [1]
    holder.close()
    assert "account 1" not in run("backfill", on=database).stderr
    assert covered(session) == [1, 2, 3]
    assert_exact(session)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_backfill_that_is_killed_keeps_what_is_done_and_the_next_one_goes_on(
    how: signal.Signals, session: Session, database: str, connect: Connect
) -> None:
    holder = connect(database)
    holder.execute("SELECT pg_advisory_lock(%s, 2)", (LOCK_CLASS,))
    with terminal("backfill", "--yes", "--chunk-events", "5", on=database) as screen:
        await_slot_waiters(session)
        screen.process.send_signal(how)
        assert screen.end() != 0
    assert "Traceback" not in screen.shown
    assert covered(session) == [1]
    holder.close()
    succeed("backfill", on=database)
    assert covered(session) == [1, 2, 3]
    assert_exact(session)


WIDTHS = (60, 80, 120)

TABLES = [
    ("status", "--all"),
    ("timezone",),
    ("reads",),
    ("verify",),
    ("backfill", "--dry-run"),
    ("report", "timeseries", "resolutions_count", "--account", "1", "--since", "2026-03-01"),
]


@pytest.mark.parametrize("words", TABLES, ids=" ".join)
def test_a_table_fits_the_terminal_and_loses_no_word_of_what_a_pipe_gets(
    words: tuple[str, ...], session: Session, database: str
) -> None:
    lines = run(*words, on=database).stdout.splitlines()
    piped = {word for line in lines if not line.startswith("account ") for word in line.split()}
    for columns in WIDTHS:
        with terminal(*words, on=database, columns=columns) as screen:
            screen.end()
        lines = plain_lines(screen.shown)
        assert max(len(line) for line in lines if "  " in line or not line) <= columns
        shown = {word for line in lines for word in line.split()}
        assert not {one for one in piped - shown if one.strip("-█▏▎▍▌▋▊▉")}


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_summary_fits_the_terminal_and_has_durations_in_words(
    columns: int, session: Session, database: str
) -> None:
    words = ("report", "summary", "agent", "--account", "1", "--since", "2026-03-01")
    rows = json.loads(succeed(*words, "--format", "json", on=database))
    with terminal(*words, on=database, columns=columns) as screen:
        assert screen.end() == 0
    lines = plain_lines(screen.shown)
    assert max(map(len, lines)) <= columns
    durations = {duration(row["avg_reply_time"]) for row in rows if row["avg_reply_time"]}
    assert durations
    assert all(any(one in line for line in lines) for one in durations)


def test_a_pipe_gets_averages_as_plain_numbers(session: Session, database: str) -> None:
    words = ("report", "aggregate", "reply_time", "--account", "1", "--since", "2026-03-01")
    [row] = json.loads(succeed(*words, "--format", "json", on=database))
    assert f"{row['value']:.6g}" in succeed(*words, on=database)
    with terminal(*words, on=database) as screen:
        assert screen.end() == 0
    assert duration(row["value"]) in screen.shown
