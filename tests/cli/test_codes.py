"""The exit codes of commands, as processes of their own where signals and pipes are concerned."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from generator.cli import codes
from generator.database.locks import LOCK_CLASS
from tests.support.command import NOWHERE, PATIENCE, run, terminal
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact
from tests.support.waiting import await_slot_waiters

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
VANDALISM = "UPDATE public.reporting_events_rollups SET count = count + 1 WHERE account_id = 2"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a database with accounts and events, all of it covered."""
    session = desk(connect(database))
    mix(session)
    return session


@pytest.mark.parametrize(
    "words",
    [
        ("status", "--exit-code"),
        ("status", "--exit-code", "--json"),
        ("plan",),
        ("verify",),
        ("verify", "--json"),
    ],
)
def test_a_difference_has_code_2_and_none_has_code_0(
    words: tuple[str, ...], session: Session, database: str
) -> None:
    assert run(*words, on=database).exit_code == codes.WELL
    session.execute(VANDALISM)
    session.execute("UPDATE rollup.accounts SET covered = '{}' WHERE account_id = 1")
    session.execute("DROP VIEW rollup.status")
    assert run(*words, on=database).exit_code == codes.DIFFERENT


@pytest.mark.parametrize(
    "words", [(), ("nothing",), ("verify", "--nothing"), ("report", "summary"), ("fold", "x")]
)
def test_a_wrong_use_has_code_1(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == codes.ERROR


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["verify", "fold"])
def test_watching_that_is_stopped_says_so_and_keeps_what_is_done(
    command: str, how: signal.Signals, session: Session, database: str
) -> None:
    session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    write(session)
    session.execute("COMMIT")
    with terminal(command, "--watch", "0.1", on=database) as screen:
        screen.until("0 differences" if command == "verify" else "pending events")
        screen.process.send_signal(how)
        assert screen.end() == (codes.WELL if how == signal.SIGINT else codes.TERMINATED)
    end = "interrupted" if how == signal.SIGINT else "terminated"
    assert f"{end}; what is done is kept" in screen.shown
    assert "Traceback" not in screen.shown
    assert_exact(session)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_backfill_that_is_stopped_tells_by_its_code_how(
    how: signal.Signals, session: Session, database: str, connect: Connect
) -> None:
    session.execute("UPDATE rollup.accounts SET covered = '{}'")
    with connect(database) as holder:
        holder.execute("SELECT pg_advisory_lock(%s, 2)", (LOCK_CLASS,))
        with terminal("backfill", "--yes", on=database) as screen:
            await_slot_waiters(session)
            screen.process.send_signal(how)
            assert screen.end() == 128 + how
    assert "; what is done is kept" in screen.shown
    assert "Traceback" not in screen.shown
    assert run("backfill", on=database).exit_code == codes.WELL
    assert_exact(session)


@pytest.mark.parametrize("words", [("status", "--all"), ("status", "--json"), ("verify", "--help")])
def test_output_that_is_closed_early_is_no_traceback(words: tuple[str, ...], database: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = {name: value for name, value in os.environ.items() if name not in NOWHERE}
    done = subprocess.run(
        [sys.executable, "-m", "generator", *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**environment, "DATABASE_URL": database},
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (codes.ERROR, "")


def test_the_codes_are_documented_once_and_no_command_exits_with_a_bare_number() -> None:
    documented = re.findall(r"^\| (\d+) \|", OPERATIONS.read_text("utf-8"), re.MULTILINE)
    known = (codes.WELL, codes.ERROR, codes.DIFFERENT, codes.INTERRUPTED, codes.TERMINATED)
    assert [int(code) for code in documented] == list(known)
    for path in Path(codes.__file__).parent.glob("*.py"):
        assert not re.search(r"sys\.exit\(\d", path.read_text("utf-8")), path
