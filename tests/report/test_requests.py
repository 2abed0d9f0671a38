"""What reports refuse, what they do about purged days, and which setting decides what they read."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.deploy.deploy import deploy
from tests.support.command import succeed
from tests.support.events import desk, mix, write
from tests.support.foreign import DISTINCT_ONLY, ODD_NAMES, PAGE_VIEWS, Application

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

RANGE = "'2026-03-08 00:00+00', '2026-03-11 00:00+00'"
SERIES = "SELECT * FROM rollup.timeseries({})"
COUNT = "1, 'resolutions_count', 'account', NULL"

REFUSED = {
    "no such metric": (
        f"1, 'resolutions', 'account', NULL, {RANGE}",
        "22023", "unknown metric 'resolutions'", "resolutions_count, avg_resolution_time, ",
    ),
    "no metric": (
        f"1, NULL, 'account', NULL, {RANGE}", "22023", "no metric given", "reply_time",
    ),
    "a metric that is not made of events": (
        f"1, 'conversations_count', 'account', NULL, {RANGE}",
        "0A000", "conversations_count is not made of events", "application",
    ),
    "no such dimension": (
        f"1, 'reply_time', 'team', 4, {RANGE}",
        "22023", "unknown dimension 'team'", "account, agent, inbox.",
    ),
    "an agent without an id": (
        f"1, 'reply_time', 'agent', NULL, {RANGE}",
        "22023", "no dimension_id given", "rollup.summary()",
    ),
    "another account": (
        f"1, 'reply_time', 'account', 2, {RANGE}", "22023", "account 2 is not account 1", "NULL",
    ),
    "no such period": (
        f"{COUNT}, {RANGE}, 'fortnight'",
        "22023", "unknown period 'fortnight'", "hour, day, week, month, quarter, year",
    ),
    "no such start of the week": (
        f"{COUNT}, {RANGE}, 'week', false, NULL, 'friday'", "22023", "friday", "sunday, monday.",
    ),
    "no such zone": (
        f"{COUNT}, {RANGE}, 'day', false, 'Mars/Olympus3'",
        "22023", "unknown time zone 'Mars/Olympus3'", "pg_timezone_names",
    ),
    "no such account": (
        f"99, 'reply_time', 'account', NULL, {RANGE}",
        "22023", "unknown account 99", "rollup.accounts",
    ),
    "no account": (
        f"NULL, 'reply_time', 'account', NULL, {RANGE}", "22023", "account NULL", "",
    ),
    "an end before the beginning": (
        f"{COUNT}, '2026-03-09', '2026-03-08'", "22023", "2026-03-09", "since (inclusive) before",
    ),
    "no end": (f"{COUNT}, '2026-03-09', NULL", "22023", "to NULL", "both finite"),
    "an end that never comes": (
        f"{COUNT}, '2026-03-09', 'infinity'", "22023", "infinity", "both finite",
    ),
    "before the year 1": (
        f"{COUNT}, '4000-01-01 BC', '2026-01-01'", "22023", "BC", "years 1 to 9999",
    ),
}  # fmt: skip

PURGED_BEFORE = "2026-03-10"
WHOLE = "'2026-03-07 00:00+05:30', '2026-03-12 00:00+05:30'"


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk whose reads are on."""
    session = desk(connect(database))
    mix(session, 200)
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    return session


def sources(session: Session, arguments: str) -> list[tuple[str, str]]:
    """Tell where the figures of a report come from, and why."""
    query = f"SELECT p.source, p.reason FROM rollup.explain_report({arguments}) p"
    return session.execute(query).fetchall()


@pytest.mark.parametrize(
    ("arguments", "sqlstate", "message", "hint"), REFUSED.values(), ids=REFUSED
)
def test_what_makes_no_sense_is_an_error_that_lists_what_would_do(
    session: Session, arguments: str, sqlstate: str, message: str, hint: str
) -> None:
    with pytest.raises(psycopg.Error) as error:
        session.execute(SERIES.format(arguments))
    assert error.value.sqlstate == sqlstate
    assert message in (error.value.diag.message_primary or "")
    assert hint in (error.value.diag.message_hint or "")


def test_an_account_that_only_the_application_knows_has_reports_without_events(
    session: Session,
) -> None:
    session.execute("INSERT INTO public.accounts (id, name) VALUES (50, 'new')")
    arguments = f"50, 'resolutions_count', 'account', NULL, {RANGE}"
    assert [value for _, value, _ in session.execute(SERIES.format(arguments))] == [0, 0, 0]
    assert sources(session, arguments) == [("raw events", "the account has no time zone")]


def test_an_empty_range_has_no_buckets_and_nothing_in_it(session: Session) -> None:
    nothing = "'2026-03-09', '2026-03-09'"
    assert session.execute(SERIES.format(f"{COUNT}, {nothing}")).fetchall() == []
    for metric, value in (("resolutions_count", 0), ("reply_time", None)):
        query = f"SELECT rollup.aggregate(1, '{metric}', 'account', NULL, {nothing})"
        assert session.execute(query).fetchone() == (value,)
    assert session.execute(f"SELECT * FROM rollup.summary(1, 'agent', {nothing})").fetchall() == []


def test_an_average_of_nothing_is_null_and_of_no_events_0(session: Session) -> None:
    write(session, account_id=3, user_id=404, value=None, created_at="2026-03-20 12:00")
    arguments = (
        "3, 'avg_first_response_time', 'agent', 404, '2026-03-20 00:00+01', '2026-03-22 00:00+01'"
    )
    points = session.execute(SERIES.format(arguments)).fetchall()
    assert [point[1:] for point in points] == [(None, 1), (0, 0)]


@pytest.mark.parametrize("reads", ["on", "off", "account"])
def test_a_session_may_overrule_what_reports_read(session: Session, reads: str) -> None:
    arguments = f"{COUNT}, {WHOLE}"
    session.execute("UPDATE rollup.accounts SET reads_enabled = (account_id = 2)")
    session.execute(f"SET rollup.reads = '{reads}'")
    expected = {
        "on": [("rollups", "whole days that are covered")],
        "off": [("raw events", "rollup.reads is off")],
        "account": [("raw events", "reads are off for the account")],
    }
    assert sources(session, arguments) == expected[reads]


def test_a_setting_that_is_none_is_an_error(session: Session) -> None:
    session.execute("SET rollup.reads = 'perhaps'")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="perhaps"):
        sources(session, f"{COUNT}, {WHOLE}")
    session.execute("RESET rollup.reads")
    assert sources(session, f"{COUNT}, {WHOLE}")


def test_why_a_day_comes_from_raw_events_is_told(session: Session) -> None:
    at_odd_times = "'2026-03-07 10:00+05:30', '2026-03-12 10:00+05:30'"
    session.execute("UPDATE rollup.accounts SET covered = covered - '{[2026-03-09,2026-03-09]}'")
    covered = ("rollups", "whole days that are covered")
    edge = ("raw events", "part of a day")
    assert sources(session, f"{COUNT}, {at_odd_times}") == [
        edge, covered, ("raw events", "days that are not covered"), covered, edge,
    ]  # fmt: skip
    zone = f"{COUNT}, {WHOLE}, 'day', false, 'Europe/Rome'"
    assert sources(session, zone) == [
        ("raw events", "its rollups have the days of Asia/Kolkata")
    ] * len(sources(session, zone))
    assert {reason for _, reason in sources(session, f"{COUNT}, {WHOLE}, 'hour'")} == {
        "rollups have no hours"
    }
    session.execute("SELECT rollup.set_timezone(1, 'Europe/Rome')")
    assert {reason for _, reason in sources(session, f"{COUNT}, {WHOLE}")} == {
        "its time zone has changed"
    }


def test_purged_days_are_read_from_rollups_whatever_else_holds(session: Session) -> None:
    metrics = ("resolutions_count", "reply_time", "bot_resolutions_count", "bot_handoffs_count")
    questions = [
        SERIES.format(f"1, '{metric}', 'account', NULL, {WHOLE}, '{unit}'")
        for metric in metrics
        for unit in ("day", "week", "month")
    ]
    questions.append(f"SELECT * FROM rollup.summary(1, 'agent', {WHOLE})")
    before = [session.execute(question).fetchall() for question in questions]
    session.execute(f"CALL rollup.purge_events('{PURGED_BEFORE}', 1)")
    assert [session.execute(question).fetchall() for question in questions] == before
    session.execute("UPDATE rollup.accounts SET reads_enabled = false, covered = '{}'")
    assert [session.execute(question).fetchall() for question in questions] == before
    assert sources(session, f"{COUNT}, {WHOLE}") == [
        ("rollups", "purged, though reads are off for the account"),
        ("raw events", "reads are off for the account"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        "'2026-03-07 06:00+05:30', '2026-03-12 00:00+05:30'",
        "'2026-03-07 00:00+05:30', '2026-03-09 12:00+05:30'",
        "'2026-03-09 12:00+05:30', '2026-03-09 13:00+05:30'",
        f"{WHOLE}, 'hour'",
        f"{WHOLE}, 'day', false, 'Europe/Rome'",
        "'2026-03-10 00:00+09', '2026-03-12 00:00+09', 'day', false, 'Asia/Tokyo'",
        "'2026-03-10 00:00+09', '2026-03-10 03:00+09', 'day', false, 'Asia/Tokyo'",
    ],
    ids=[
        *("begins within", "ends within", "lies within", "hours", "another zone"),
        *("the next day of another zone", "part of the next day of another zone"),
    ],
)
def test_parts_of_purged_days_are_refused(session: Session, arguments: str) -> None:
    session.execute(f"CALL rollup.purge_events('{PURGED_BEFORE}', 1)")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="purged") as error:
        session.execute(SERIES.format(f"{COUNT}, {arguments}"))
    assert error.value.diag.message_hint == (
        "Ask for whole days of Asia/Kolkata, or from 2026-03-10 on."
    )


@pytest.mark.parametrize("zone", ["'America/New_York'", "NULL"], ids=["another", "none"])
def test_purged_days_are_refused_while_the_zone_is_changing(session: Session, zone: str) -> None:
    """Until the backfill their totals have the old zone's days, and raw events are gone."""
    session.execute(f"CALL rollup.purge_events('{PURGED_BEFORE}', 1)")
    session.execute(f"SELECT rollup.set_timezone(1, {zone})")
    new_york = "'2026-03-07 00:00-05', '2026-03-12 00:00-04'"
    for question in (
        f"SELECT rollup.aggregate({COUNT}, {new_york})",
        SERIES.format(f"{COUNT}, {new_york}, 'day', false, 'America/New_York'"),
        SERIES.format(f"{COUNT}, {new_york}, 'day', false, 'Asia/Tokyo'"),
    ):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="purged") as error:
            session.execute(question)
        hint = error.value.diag.message_hint or ""
        assert ("CALL rollup.backfill(1)" in hint) != ("Give the account a time zone again" in hint)
    if zone != "NULL":
        session.execute("CALL rollup.backfill(1)")
        assert session.execute(f"SELECT rollup.aggregate({COUNT}, {new_york})").fetchone()


def test_a_range_may_begin_within_a_day_before_the_first_that_has_totals(session: Session) -> None:
    total = session.execute(f"SELECT rollup.aggregate({COUNT}, {WHOLE})").fetchone()
    session.execute(f"CALL rollup.purge_events('{PURGED_BEFORE}', 1)")
    ever = "'1970-01-01 00:00+00', '2026-03-12 00:00+05:30'"
    assert session.execute(f"SELECT rollup.aggregate({COUNT}, {ever})").fetchone() == total


@pytest.mark.parametrize(
    ("own", "other", "since"),
    [
        ("America/Havana", "America/Panama", "2025-11-02 00:00-05"),
        ("Atlantic/Azores", "Atlantic/Cape_Verde", "2024-10-27 00:00-01"),
    ],
)
def test_a_day_whose_midnight_comes_twice_is_no_other_zones(
    own: str, other: str, since: str, session: Session
) -> None:
    session.execute("SELECT rollup.set_timezone(1, %s)", (own,))
    session.execute("CALL rollup.backfill(1)")
    query = f"SELECT '{since}'::timestamptz AT TIME ZONE 'UTC' - interval '20 minutes'"
    [(first,)] = session.execute(query).fetchall()
    for minutes in (0, 40, 40):
        at = first + timedelta(minutes=minutes)
        write(session, name="conversation_resolved", created_at=at)
    answers = []
    for reads in ("on", "off"):
        session.execute(f"SET rollup.reads = '{reads}'")
        arguments = f"{COUNT}, '{since}', '{since}'::timestamptz + interval '30 days', 'month'"
        query = SERIES.format(f"{arguments}, false, '{other}'")
        answers.append(sum(value for _, value, _ in session.execute(query)))
    assert answers == [2, 2]


LOST = {
    "in force and wanted": "timezone = 'Lost/Zone', wanted = 'Lost/Zone'",
    "in force": "timezone = 'Lost/Zone', wanted = 'Europe/Rome'",
    "wanted": "wanted = 'Lost/Zone'",
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_an_account_whose_zone_is_lost_is_answered_from_raw_events(
    lost: str, session: Session, database: str
) -> None:
    total = session.execute(f"SELECT rollup.aggregate({COUNT}, {WHOLE})").fetchone()
    session.execute(f"UPDATE rollup.accounts SET {lost} WHERE account_id = 1")
    assert session.execute(f"SELECT rollup.aggregate({COUNT}, {WHOLE})").fetchone() == total
    assert session.execute(f"SELECT * FROM rollup.summary(1, 'agent', {WHOLE})").fetchall()
    elsewhere = f"{COUNT}, {WHOLE}, 'day', false, 'UTC'"
    assert len(session.execute(SERIES.format(elsewhere)).fetchall()) == 6
    assert {source for source, _ in sources(session, elsewhere)} == {"raw events"}
    if "wanted = 'Lost/Zone'" in lost:
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="'Lost/Zone'") as error:
            session.execute(SERIES.format(f"{COUNT}, {WHOLE}"))
        assert error.value.diag.message_hint
    scope = ("--account", "1", "--since", "2026-03-07", "--until", "2026-03-12")
    succeed("report", "aggregate", "reply_time", *scope, on=database)
    succeed("report", "summary", "inbox", *scope, "--explain", on=database)
    page = ("--html", os.devnull, "--timezone", "UTC")
    succeed("report", *page, *scope, on=database)


def test_all_of_a_range_is_one_bucket(session: Session) -> None:
    query = SERIES.format(f"{COUNT}, {WHOLE}, 'range'")
    [(start, value, count)] = session.execute(query).fetchall()
    assert start.isoformat() == "2026-03-06T18:30:00+00:00"
    assert session.execute(f"SELECT rollup.aggregate({COUNT}, {WHOLE})").fetchone() == (value,)
    assert count == value


@pytest.mark.parametrize("metric", ["resolutions_count", "bot_handoffs_count"])
def test_thousands_of_years_are_a_range_like_any_other(session: Session, metric: str) -> None:
    ever = "'0002-01-01 00:00+00', '9999-01-01 00:00+00'"
    query = f"SELECT rollup.aggregate(1, '{metric}', NULL, NULL, {ever})"
    session.execute("SET statement_timeout = '5s'")
    of_rollups = session.execute(query).fetchone()
    session.execute("SET rollup.reads = 'off'")
    assert session.execute(query).fetchone() == of_rollups


def test_one_query_sees_one_snapshot(session: Session, database: str, connect: Connect) -> None:
    """A report in a snapshot says the same while events come, are folded and rebuilt beside it."""
    reader = connect(database, autocommit=False)
    reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    question = SERIES.format(f"{COUNT}, '2026-03-07 10:00+05:30', '2026-03-20 10:00+05:30', 'week'")
    before = reader.execute(question).fetchall()
    for statement in (
        "UPDATE public.reporting_events SET created_at = created_at + interval '1 day'",
        "DELETE FROM public.reporting_events WHERE id % 3 = 0",
        "SELECT rollup.fold()",
        "SELECT rollup.rebuild()",
        "UPDATE rollup.accounts SET reads_enabled = false",
    ):
        session.execute(statement)
        assert reader.execute(question).fetchall() == before


def test_a_reader_needs_no_more_than_the_right_to_read(session: Session) -> None:
    session.execute("CREATE ROLE report_reader")
    try:
        session.execute(
            "GRANT USAGE ON SCHEMA rollup TO report_reader;"
            "GRANT SELECT ON ALL TABLES IN SCHEMA rollup TO report_reader;"
            "GRANT SELECT ON public.reporting_events, public.reporting_events_rollups"
            " TO report_reader"
        )
        with session.transaction(force_rollback=True):
            session.execute("SET LOCAL ROLE report_reader")
            session.execute("SET TRANSACTION READ ONLY")
            assert len(session.execute(SERIES.format(f"{COUNT}, {WHOLE}")).fetchall()) == 5
            assert sources(session, f"{COUNT}, {WHOLE}")
            session.execute(f"SELECT * FROM rollup.summary(1, 'agent', {WHOLE})")
    finally:
        session.execute("DROP OWNED BY report_reader; DROP ROLE report_reader")


def everything(session: Session, application: Application) -> list[list[tuple[Any, ...]]]:
    """Ask for every report by every dimension and period, and for the summaries."""
    registry = application.registry
    since, until = "2026-03-07 13:00+00", "2026-03-11 02:00+00"
    answers = []
    for account in (1, 2, 3):
        for dimension in registry.dimensions:
            whole = dimension.column == registry.source.account
            ids = session.execute(
                "SELECT DISTINCT r.dimension_id FROM rollup.current_rollups r"
                " WHERE r.dimension_type = %s AND r.account_id = %s ORDER BY 1",
                (dimension.name, account),
            ).fetchall()
            for reading in registry.readings:
                for (id_,) in [(None,)] if whole else ids:
                    for unit in ("day", "week", "year"):
                        query = "SELECT * FROM rollup.timeseries(%s, %s, %s, %s, %s, %s, %s)"
                        scope = (account, reading.report, dimension.name, id_, since, until, unit)
                        answers.append(session.execute(query, scope).fetchall())
            if registry.summaries:
                query = "SELECT * FROM rollup.summary(%s, %s, %s, %s)"
                answers.append(
                    session.execute(query, (account, dimension.name, since, until)).fetchall()
                )
    return answers


@pytest.mark.parametrize(
    "application", [PAGE_VIEWS, DISTINCT_ONLY, ODD_NAMES], ids=["page views", "distinct", "odd"]
)
def test_other_registries_have_reports_that_say_the_same_either_way(
    application: Application, empty_database: str, connect: Connect
) -> None:
    session = connect(empty_database)
    application.create(session)
    deploy(empty_database, application.registry)
    for account, zone in ((1, "Asia/Kolkata"), (2, "America/New_York"), (3, "Europe/Rome")):
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    session.execute("SELECT rollup.rebuild()")
    application.insert(session, 1, 300)
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    application.insert(session, 301, 400)
    application.delete(session)
    session.execute("COMMIT")
    session.execute("SET rollup.reads = 'off'")
    of_events = everything(session, application)
    session.execute("SET rollup.reads = 'on'")
    assert everything(session, application) == of_events
    assert any(value for answer in of_events for row in answer for value in row[1:])
