"""The messages that docs/troubleshooting.md explains are those that the project has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.events import desk, mix
from tests.support.pages import DOCS, ROOT

if TYPE_CHECKING:
    from tests.support.databases import Connect

GAP = "…"
SOURCES = {
    path: re.sub(r"[\"']\s*\n\s*(?:\|\| |f)?[\"']", "", path.read_text("utf-8"))
    for pattern in ("generator/**/*.py", "generator/**/*.j2", "sql/**/*.sql")
    for path in ROOT.glob(pattern)
}
"""The text of each file, with literals joined that are broken over lines."""
MESSAGES = dict(
    re.findall(r"^\| `([^`]*)`(?: \((\w{5})\))?", DOCS["troubleshooting.md"], re.MULTILINE)
)
"""Each message that the page explains, with its SQLSTATE where it has one."""
FEWEST = 20

REPORT = "SELECT rollup.aggregate(1, '{}', {}, {}, '2026-01-01', 'now')"
REBUILD = "SELECT rollup.rebuild(1)"
PURGE = "CALL rollup.purge_events('2026-03-10', 1)"

PROVOKED = (
    ("unknown account …", "SELECT rollup.rebuild(99)", ""),
    ("account … has no time zone", "CALL rollup.purge_events('2026-03-10', 4)", ""),
    ("unknown time zone …", "SELECT rollup.set_timezone(1, 'Mars')", ""),
    (
        "days end before they begin: … to …",
        "SELECT rollup.rebuild(1, '2026-03-09', '2026-03-08')",
        "",
    ),
    (
        "rollups cannot be written at isolation level …",
        REBUILD,
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
    ),
    (
        "rollups cannot be written at isolation level …",
        "SELECT rollup.fold()",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
    ),
    (
        "triggers that keep totals are missing or disabled or changed on …: …",
        REBUILD,
        "ALTER TABLE reporting_events DISABLE TRIGGER rollup_after_delete",
    ),
    (
        "column … of … … since the last deployment",
        REBUILD,
        "ALTER TABLE reporting_events ALTER user_id TYPE bigint",
    ),
    (
        "… has no column … any more",
        REBUILD,
        "ALTER TABLE reporting_events RENAME user_id TO agent_id",
    ),
    (
        "there is no table … any more",
        REBUILD,
        "ALTER TABLE accounts RENAME TO tenants",
    ),
    ("the days before … are not over", "CALL rollup.purge_events('2999-01-01')", ""),
    (
        "account … has days before … that are not covered",
        PURGE,
        "UPDATE rollup.accounts SET covered = '{}'",
    ),
    (
        "account … differs from its events on days to be purged: …, from … to …",
        PURGE,
        "UPDATE reporting_events_rollups SET count = 9",
    ),
    ("unknown … …", REPORT.format("no_such_metric", "NULL", "NULL"), ""),
    ("… is not made of events", REPORT.format("conversations_count", "NULL", "NULL"), ""),
    ("no dimension_id given", REPORT.format("reply_time", "'agent'", "NULL"), ""),
    ("account … is not account …", REPORT.format("reply_time", "'account'", "2"), ""),
    (
        "a report needs a range of moments: … to …",
        "SELECT rollup.aggregate(1, 'reply_time', NULL, NULL, NULL, 'now')",
        "",
    ),
    (
        "no range of moments: … to …",
        "SELECT rollup.aggregate(1, 'reply_time', NULL, NULL, '2026-02-01', '2026-01-01')",
        "",
    ),
    (
        "raw events of account … before … have been purged",
        "SELECT rollup.aggregate(1, 'reply_time', NULL, NULL, '2026-03-08 09:30', 'now')",
        PURGE,
    ),
)
"""A message, the statement that fails with it, and what comes before."""


def _parts(message: str) -> list[str]:
    return [part for part in (one.strip(" :(),") for one in message.split(GAP)) if part]


def test_the_page_explains_the_most_likely_messages() -> None:
    assert len(MESSAGES) >= FEWEST


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_is_one_of_the_source(message: str) -> None:
    assert any(all(part in text for part in _parts(message)) for text in SOURCES.values())


@pytest.mark.parametrize(("message", "statement", "before"), PROVOKED)
def test_what_the_server_says_is_what_the_page_explains(
    message: str, statement: str, before: str, database: str, connect: Connect
) -> None:
    session: psycopg.Connection[Any] = desk(connect(database))
    mix(session, 280)
    session.execute("INSERT INTO public.accounts (id, name) VALUES (4, 'none')")
    session.execute("SELECT rollup.set_timezone(4, 'UTC'), rollup.set_timezone(4, NULL)")
    if before:
        session.execute(before.encode())
    with pytest.raises(psycopg.Error) as raised:
        session.execute(statement.encode())
    pattern = re.escape(message).replace(re.escape(GAP), ".+")
    assert re.fullmatch(pattern, raised.value.diag.message_primary or "")
    assert raised.value.sqlstate == MESSAGES[message]
