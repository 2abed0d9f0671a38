"""Sentences that a command prints fit the terminal, and are whole lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.cli.sentences import wrapped
from tests.support.command import plain_lines, run, terminal
from tests.support.events import desk, mix

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

WIDTHS = (60, 80, 120)

COMMANDS = [
    ("plan",),
    ("status",),
    ("deploy",),
    ("backfill", "--yes"),
    ("verify",),
    ("timezone", "1", "Europe/Berlin"),
    ("timezone", "1", "Mars/Olympus"),
    ("reads", "2", "on"),
    ("reads", "99"),
    ("verify", "--since", "yesterday", "--until", "7d"),
    ("report", "aggregate", "reply_time", "--account", "1", "--for", "agent", "3"),
    ("report", "aggregate", "reply_time", "--account", "1", "--compare", "--explain"),
    ("report", "timeseries", "none", "--account", "1"),
]


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with something to tell: nothing is covered, and a trigger is off."""
    session = desk(connect(database))
    mix(session)
    session.execute("UPDATE rollup.accounts SET covered = '{}'")
    session.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    return session


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_is_wider_than_the_terminal_unless_a_word_is(columns: int, database: str) -> None:
    for words in COMMANDS:
        with terminal(*words, on=database, columns=columns) as screen:
            screen.end()
        lines = plain_lines(screen.shown)
        assert lines
        too_wide = [line for line in lines if len(line) > columns and "━" not in line]
        assert not too_wide, words


@pytest.mark.usefixtures("session")
def test_a_pipe_gets_whole_sentences(database: str) -> None:
    said = run("verify", "--since", "yesterday", "--until", "7d", on=database).stderr
    assert " must be after --since yesterday (" in said.splitlines()[-1]
    note = run("reads", "2", "on", on=database).stderr
    assert note.endswith("until python -m generator backfill --account 2\n")
    assert len(note.splitlines()) == 1


def test_lines_after_the_first_are_indented_further() -> None:
    line = "error: a word and an averylongwordthatfitsnowhere, then error: forged"
    assert wrapped(line, 20).splitlines() == [
        "error: a word and an",
        "  averylongwordthatfitsnowhere,",
        "  then error: forged",
    ]
    assert wrapped("  hint: once more with feeling", 20).splitlines() == [
        "  hint: once more",
        "    with feeling",
    ]
    assert wrapped("short", 20) == "short"


def test_a_command_to_copy_stays_on_a_line() -> None:
    line = "hint: mend them: python -m generator verify --repair --account 1"
    assert wrapped(line, 60).splitlines() == [
        "hint: mend them:",
        "  python -m generator verify --repair --account 1",
    ]
    assert wrapped("run `python -m generator deploy` to mend that", 40).splitlines() == [
        "run `python -m generator deploy` to mend",
        "  that",
    ]


def test_wide_characters_count_as_two() -> None:
    assert wrapped("日本 日本 日本", 10) == "日本 日本\n  日本"
