"""Random days are verified, cheaply and again and again, and what was compared is remembered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.command import fail, run, succeed, terminal
from tests.support.events import desk, mix, write
from tests.support.layouts import PARTITIONED
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

DAYS = """
SELECT DISTINCT r.account_id, r.date
FROM rollup.current_rollups r
ORDER BY 1, 2
"""

LEDGER = """
SELECT v.account_id, v.since, v.differences
FROM rollup.verifications v
WHERE v.until = v.since + 1
ORDER BY 1, 2
"""

SAMPLE = "SELECT d.account_id, d.date FROM rollup.verify_sample(%s) d"

DAMAGES = {
    "a count": "UPDATE public.reporting_events_rollups SET count = count + 1",
    "a sum": "UPDATE public.reporting_events_rollups SET sum_value = sum_value + 1",
    "rows that are missing": "DELETE FROM public.reporting_events_rollups",
    "rows without events": "INSERT INTO public.reporting_events_rollups"
    " (account_id, date, dimension_type, dimension_id, metric, count)"
    " SELECT 1, '2026-03-09', 'agent', 77, 'reply_time', i FROM generate_series(1, 1) i",
    "members": "DELETE FROM rollup.distinct_members",
}


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with some events, one of them pending."""
    session = desk(connect(database))
    mix(session, 300)
    with session.transaction():
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(session)
    return session


def test_a_sample_of_what_is_exact_differs_nowhere_and_is_remembered(session: Session) -> None:
    assert session.execute(SAMPLE, (10_000,)).fetchall() == []
    days = session.execute(DAYS).fetchall()
    assert session.execute(LEDGER).fetchall() == [(*day, 0) for day in days]
    session.execute("DELETE FROM rollup.verifications")
    session.execute(SAMPLE, (5,))
    drawn = session.execute(LEDGER).fetchall()
    assert 1 <= len(drawn) <= 5
    assert {(account, day) for account, day, _ in drawn} <= set(days)


def test_samples_draw_other_days_each_time(session: Session) -> None:
    left = set(session.execute(DAYS).fetchall())
    for _ in range(1000):
        session.execute(SAMPLE, (3,))
        left -= {(account, day) for account, day, _ in session.execute(LEDGER)}
        if not left:
            return
    raise AssertionError(f"never drawn: {left}")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_what_is_wrong_is_found_and_remembered(damage: str, session: Session) -> None:
    session.execute(damage)
    found = session.execute(SAMPLE, (10_000,)).fetchall()
    assert found
    drift = session.execute("SELECT d.account_id, d.date FROM rollup.drift() d").fetchall()
    assert sorted(found) == drift
    [(differences,)] = session.execute("SELECT sum(v.differences) FROM rollup.verifications v")
    assert differences == len(found)


def test_days_that_are_not_covered_or_are_sealed_are_not_drawn(session: Session) -> None:
    session.execute("CALL rollup.purge_events('2026-03-09', 1)")
    session.execute(
        "UPDATE rollup.accounts SET covered = '{[2026-03-08,2026-03-10)}' WHERE account_id = 2"
    )
    session.execute("SELECT rollup.set_timezone(3, 'Asia/Tokyo')")
    session.execute(SAMPLE, (10_000,))
    drawn = {(account, str(day)) for account, day, _ in session.execute(LEDGER)}
    assert {account for account, _ in drawn} == {1, 2}
    assert min(day for account, day in drawn if account == 1) == "2026-03-09"
    assert {day for account, day in drawn if account == 2} == {"2026-03-08", "2026-03-09"}


def test_partitions_are_drawn_from(database: str, connect: Connect) -> None:
    session = connect(database)
    session.execute(PARTITIONED)
    succeed("deploy", on=database)
    mix(desk(session), 300)
    session.execute("DELETE FROM public.reporting_events_rollups")
    assert session.execute(SAMPLE, (10_000,)).fetchall()


@pytest.mark.parametrize("words", [("--sample", "1"), ()])
def test_verifications_are_kept_for_ninety_days(
    words: tuple[str, ...], session: Session, database: str
) -> None:
    session.execute(
        "INSERT INTO rollup.verifications (verified_at, differences)"
        " SELECT now() - d * interval '1 day', 0 FROM generate_series(80, 100) d"
    )
    succeed("verify", *words, on=database)
    [(oldest,)] = session.execute("SELECT now() - min(v.verified_at) FROM rollup.verifications v")
    assert oldest.days in (89, 90)


@pytest.mark.parametrize("days", [0, -1, None])
def test_a_sample_of_nothing_is_an_error(days: int | None, session: Session) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no days to verify"):
        session.execute("SELECT * FROM rollup.verify_sample(%s::integer)", (days,))


def test_verify_writes_down_what_it_compared(session: Session, database: str) -> None:
    succeed("verify", on=database)
    session.execute("UPDATE public.reporting_events_rollups SET count = 9 WHERE dimension_id = 2")
    run("verify", "--account", "2", "--since", "2026-03-08", on=database)
    rows = session.execute(
        "SELECT v.account_id, v.since::text, v.until, v.differences > 0, v.verified_by"
        " FROM rollup.verifications v ORDER BY v.id"
    ).fetchall()
    user = session.info.user
    assert rows == [(None, None, None, False, user), (2, "2026-03-08", None, True, user)]


def test_a_sample_on_the_command_line_agrees_or_fails_and_repairs(
    session: Session, database: str
) -> None:
    said = succeed("verify", "--sample", "10000", on=database)
    days = len(session.execute(DAYS).fetchall())
    assert said == f"raw events and rollups agree: {days} random account-days, 0 differences\n"
    session.execute("UPDATE public.reporting_events_rollups SET count = 9 WHERE account_id = 2")
    done = run("verify", "--sample", "10000", on=database)
    assert done.exit_code == 2
    assert "on covered days" in done.stdout
    succeed("verify", "--sample", "10000", "--repair", on=database)
    assert_exact(session)


def test_a_sample_takes_no_scope(database: str) -> None:
    said = fail("verify", "--sample", "5", "--account", "1", on=database)
    assert "--sample draws from all accounts and days" in said


def test_watching_goes_on_until_interrupted_and_remembers_what_it_saw(
    session: Session, database: str
) -> None:
    with terminal("verify", "--sample", "9999", "--watch", "0.1", on=database) as screen:
        for _ in range(3):
            screen.until("0 differences")
            screen.shown = ""
        session.execute("UPDATE public.reporting_events_rollups SET count = 9")
        screen.until("on covered days")
        session.execute("SELECT rollup.rebuild()")
        screen.shown = ""
        screen.until("0 differences")
        assert screen.type("\x03").end() == 0  # the normal end of a watch
    assert "Traceback" not in screen.shown


NOTE = "SELECT rollup.note_verification(%s, %s, %s, %s)"

STANDING = "SELECT s.id, s.differences FROM rollup.standing_differences s ORDER BY s.id"

MAY, JUNE, JULY = "2026-05-01", "2026-06-01", "2026-07-01"
EVERYTHING = (None, None, None)


def metric(database: str) -> float:
    """Give the number of differences that a collector of metrics sees."""
    [line] = [
        line
        for line in succeed("status", "--openmetrics", on=database).splitlines()
        if line.startswith("reporting_rollups_verification_differences ")
    ]
    return float(line.split()[1])


@pytest.mark.parametrize("cure", ["a repair", "a verification"])
def test_status_and_metrics_tell_what_is_wrong_now(
    cure: str, session: Session, database: str
) -> None:
    assert "verified" not in succeed("status", on=database).splitlines()[-1]
    succeed("verify", "--sample", "3", on=database)
    assert metric(database) == 0
    session.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    run("verify", on=database)
    run("verify", on=database)
    [(found,)] = session.execute("SELECT max(v.differences) FROM rollup.verifications v")
    assert metric(database) == found > 0
    said = succeed("status", on=database)
    assert f"; {found} differences now\n" in said
    assert "see rollup.standing_differences; run `python -m generator verify --repair`" in said
    assert json.loads(succeed("status", "--json", on=database))["verified"]["differences"] == found
    if cure == "a repair":
        succeed("verify", "--repair", on=database)
    else:
        session.execute("SELECT rollup.rebuild()")
        succeed("verify", on=database)
    assert metric(database) == 0
    assert succeed("status", on=database).endswith("; 0 differences now\n")
    assert_exact(session)


def test_a_repaired_sample_leaves_nothing_standing(session: Session, database: str) -> None:
    session.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    assert run("verify", "--sample", "10000", on=database).exit_code == 2
    assert metric(database) > 0
    succeed("verify", "--sample", "10000", "--repair", on=database)
    assert metric(database) == 0
    assert_exact(session)


@pytest.mark.parametrize(
    ("found", "later", "clears"),
    [
        (EVERYTHING, EVERYTHING, True),
        (EVERYTHING, (1, None, None), False),
        (EVERYTHING, (None, MAY, None), False),
        (EVERYTHING, (None, None, JULY), False),
        ((1, MAY, JUNE), EVERYTHING, True),
        ((1, MAY, JUNE), (1, MAY, JUNE), True),
        ((1, MAY, JUNE), (1, MAY, None), True),
        ((1, MAY, JUNE), (None, None, JULY), True),
        ((1, MAY, JUNE), (2, MAY, JUNE), False),
        ((1, MAY, JULY), (1, MAY, JUNE), False),
        ((1, MAY, JULY), (1, JUNE, JULY), False),
        ((1, MAY, None), (1, MAY, JULY), False),
        ((1, None, JUNE), (1, MAY, JUNE), False),
        ((None, MAY, JUNE), (1, MAY, JUNE), False),
        ((None, MAY, JUNE), (None, MAY, JUNE), True),
    ],
)
def test_what_was_found_stands_until_all_of_it_is_compared_again(
    found: tuple[Any, ...], later: tuple[Any, ...], clears: bool, session: Session
) -> None:
    session.execute(NOTE, (*found, 45))
    [(first, _)] = session.execute(STANDING).fetchall()
    session.execute(NOTE, (*later, 0))
    assert session.execute(STANDING).fetchall() == ([] if clears else [(first, 45)])
    session.execute(NOTE, (*later, 7))
    standing = [number for _, number in session.execute(STANDING)]
    assert standing == ([7] if clears else [45, 7])
    session.execute(NOTE, (*EVERYTHING, 0))
    assert session.execute(STANDING).fetchall() == []
    assert_exact(session)
