"""Purging: events go, what they added to the rollups stays, and their days are sealed for good.

Whatever a purge deletes is archived here, so that the oracle can go on judging: at every moment
rollups say what the events and the archive say together.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator.operate import verify
from tests.support import oracle
from tests.support.events import HANDOFF, desk, mix, recorded_and_pending, write
from tests.support.waiting import PATIENCE, PAUSE, blockers, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]
    Open = Callable[..., Session]

pytestmark = pytest.mark.every_version

DAY = "2026-03-10"
EVER = "2100-01-01"
PURGE = f"CALL rollup.purge_events('{DAY}')"
PURGE_2 = PURGE.replace(")", ", 2)")
CHUNK = f"SELECT rollup.purge_chunk(1, '{DAY}', 10000)"

ARCHIVE = """
CREATE TABLE public.archive (LIKE public.reporting_events);
CREATE VIEW public.all_events AS TABLE public.reporting_events UNION ALL TABLE public.archive;
CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.archive SELECT OLD.*;
    RETURN NULL;
END $$;
CREATE TRIGGER keep AFTER DELETE ON public.reporting_events FOR EACH ROW
    WHEN (current_setting('application_name') = 'purge') EXECUTE FUNCTION public.keep();
"""
DIFFERENCES = oracle.DIFFERENCES.replace(b"public.reporting_events e", b"public.all_events e")

RECORD = """
SELECT 'rollup', r::text FROM rollup.current_rollups r WHERE date < %(before)s
UNION ALL
SELECT 'member', m::text FROM rollup.current_members m WHERE date < %(before)s
ORDER BY 1, 2
"""
VERSIONS = """
SELECT r.xmin::text, r::text FROM public.reporting_events_rollups r WHERE date < %(before)s
UNION ALL
SELECT m.xmin::text, m::text FROM rollup.distinct_members m WHERE date < %(before)s
ORDER BY 1, 2
"""
EVENTS = """
SELECT count(*)
FROM public.reporting_events e
JOIN rollup.accounts a USING (account_id)
WHERE (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date < %s
AND (%s::bigint IS NULL OR account_id = %s)
"""
UNTIL_THE_9TH = """
SELECT account_id, count(*)
FROM public.reporting_events
WHERE created_at < '2026-03-09 18:00'
GROUP BY account_id
"""
SEALED = "SELECT account_id, sealed::text FROM rollup.accounts WHERE sealed <> '{}'"
RESOLUTIONS = """
SELECT sum(count)::integer
FROM rollup.current_rollups
WHERE account_id = 2 AND dimension_type = 'account' AND metric <> 'bot_handoffs_count'
"""
EVERY_HALF_HOUR = """
INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
SELECT 'reply_time', 4, t + d, t
FROM generate_series(%(day)s::date - 2, %(day)s::date + 2, interval '30 minutes') t
CROSS JOIN (VALUES (interval '0'), ('-1 microsecond')) v (d)
"""
ONE_OF_1 = f"""
SELECT e.id
FROM public.reporting_events e
WHERE e.account_id = 1
AND e.created_at < '{DAY}'
ORDER BY e.created_at, e.id
"""


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect, as the session that purges, to a desk with events over nine days and an archive."""
    session = desk(connect(database, application_name="purge"))
    session.execute(ARCHIVE)
    mix(session, 280)
    return session


@pytest.fixture
def other(session: Session, database: str, connect: Connect) -> Open:
    """Give a function that connects the application, whose transactions stay open."""

    def open_one(level: str = "READ_COMMITTED", name: str = "application") -> Session:
        connection = connect(
            database, autocommit=False, application_name=name, options="-c lock_timeout=5s"
        )
        connection.isolation_level = psycopg.IsolationLevel[level]
        return connection

    return open_one


def assert_exact(session: Session) -> None:
    """Fail unless rollups say what events and archive say, and drift says nothing."""
    assert session.execute(DIFFERENCES, {"covered": False}).fetchall() == []


def record(session: Session, before: str = DAY, query: str = RECORD) -> list[tuple[str, str]]:
    """List rollups and memberships of days before the given one, to the last digit."""
    return session.execute(query, {"before": before}).fetchall()


def events(session: Session, account: int | None = None, before: str = DAY) -> int:
    """Count the events on days before the given one."""
    [count] = session.execute(EVENTS, (before, account, account)).fetchone() or (0,)
    return int(count)


def sealed(session: Session) -> dict[int, str]:
    return dict(session.execute(SEALED).fetchall())


@contextmanager
def beside(watcher: Session, session: Session, statement: str) -> Iterator[Future[Any]]:
    """Start a statement, and go on once it has ended or waits for a lock."""
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(session.execute, statement)
        settle(watcher, session, future)
        yield future
        future.result(PATIENCE)


def settle(watcher: Session, session: Session, future: Future[Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not future.done() and not blockers(watcher, session):
        assert time.monotonic() < deadline
        time.sleep(PAUSE)


@pytest.mark.parametrize("account", [None, 2])
def test_events_go_and_their_rollups_stay_to_the_last_digit(
    session: Session, account: int | None
) -> None:
    everything, all_events = record(session, EVER), events(session, before=EVER)
    going = events(session, account)
    assert going > 10
    session.execute("CALL rollup.purge_events(%s, %s)", (DAY, account))
    assert events(session, account) == 0
    assert events(session, before=EVER) == all_events - going
    assert record(session, EVER) == everything
    accounts = [account] if account else [1, 2, 3]
    assert sealed(session) == dict.fromkeys(accounts, f"{{(,{DAY})}}")
    assert recorded_and_pending(session)[1] == 0
    assert_exact(session)


def test_a_purge_in_many_chunks_is_exact_after_each(session: Session) -> None:
    left = events(session, 1)
    while left:
        chunk = session.execute(f"SELECT rollup.purge_chunk(1, '{DAY}', 4)").fetchone()
        assert chunk == (min(4, left),)
        left -= chunk[0]
        assert events(session, 1) == left
        assert_exact(session)
    assert session.execute(CHUNK).fetchone() == (0,)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Kolkata", "2026-03-10"),
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-03-09"),
        ("America/New_York", "2026-11-02"),
        ("America/Havana", "2026-03-08"),
        ("Asia/Beirut", "2026-03-29"),
        ("Pacific/Apia", "2011-12-30"),
        ("Pacific/Apia", "2011-12-31"),
        ("Pacific/Kiritimati", "2026-03-10"),
        ("Etc/GMT+12", "2026-03-10"),
    ],
)
def test_a_day_ends_at_midnight_in_the_zone_of_the_account(
    session: Session, zone: str, day: str
) -> None:
    session.execute("SELECT rollup.set_timezone(4, %s), rollup.rebuild(4)", (zone,))
    session.execute(EVERY_HALF_HOUR, {"day": day})
    going = events(session, 4, day)
    assert 0 < going < events(session, 4, EVER)
    session.execute("CALL rollup.purge_events(%s, 4)", (day,))
    assert events(session, 4, day) == 0
    assert session.execute("SELECT count(*) FROM public.archive").fetchone() == (going,)
    assert_exact(session)


@pytest.mark.parametrize("at", ["-infinity", "4713-11-24 00:00 BC", "0001-01-01", "0001-01-02"])
def test_events_that_are_not_counted_go_with_the_others(session: Session, at: str) -> None:
    for account in (1, 2, 3, 77, None):
        write(session, account_id=account, created_at=at)
        write(session, account_id=account, created_at="infinity")
        write(session, account_id=account, created_at="2026-03-08", name="conversation_opened")
        write(session, account_id=account, created_at="2026-03-08", name=None)
    everything = record(session, EVER)
    others = {k: n for k, n in session.execute(UNTIL_THE_9TH) if k not in (1, 2, 3)}
    session.execute(PURGE)
    assert dict(session.execute(UNTIL_THE_9TH).fetchall()) == others
    assert record(session, EVER) == everything
    assert_exact(session)


REPAIRS = {
    "rebuild": ["SELECT rollup.rebuild()"],
    "rebuild of each": ["SELECT rollup.rebuild(1), rollup.rebuild(2), rollup.rebuild(3)"],
    "rebuild over the edge": ["SELECT rollup.rebuild(NULL, '2026-03-08', '2026-04-20')"],
    "rebuild from the edge": [f"SELECT rollup.rebuild(NULL, '{DAY}')"],
    "backfill": ["UPDATE rollup.accounts SET covered = '{}'", "CALL rollup.backfill()"],
    "truncate": ["TRUNCATE public.reporting_events"],
}


@pytest.mark.parametrize("statements", REPAIRS.values(), ids=REPAIRS)
def test_sealed_days_are_left_alone_and_others_repaired(
    session: Session, statements: list[str]
) -> None:
    session.execute(PURGE)
    kept = record(session, query=VERSIONS)
    session.execute("SELECT rollup.rebuild(NULL, NULL, %s)", (DAY,))
    session.execute(f"UPDATE public.reporting_events_rollups SET count = 99 WHERE date > '{DAY}'")
    for statement in statements:
        session.execute(statement)
    assert record(session, query=VERSIONS) == kept
    assert_exact(session)


def test_sealed_days_outlive_a_truncate_above_read_committed(session: Session) -> None:
    session.execute(PURGE)
    kept = record(session)
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    session.execute("TRUNCATE public.reporting_events")
    session.execute("COMMIT")
    assert record(session) == kept
    session.execute("CALL rollup.backfill()")
    assert record(session) == kept
    assert_exact(session)


def test_verify_neither_reports_nor_repairs_sealed_days(session: Session) -> None:
    session.execute(PURGE)
    kept = record(session)
    session.execute("UPDATE public.reporting_events_rollups SET count = count + 1")
    drift = verify.drift(session, verify.Scope())
    assert {str(row["date"]) >= DAY for row in drift} == {True}
    assert verify.repair(session, drift) == len(drift)
    assert verify.drift(session, verify.Scope()) == []
    session.execute(
        f"UPDATE public.reporting_events_rollups SET count = count - 1 WHERE date < '{DAY}'"
    )
    assert record(session) == kept
    assert_exact(session)


@pytest.mark.parametrize("level", ["READ_COMMITTED", "REPEATABLE_READ"])
def test_events_that_come_to_sealed_days_count_until_they_go(
    session: Session, other: Open, level: str
) -> None:
    session.execute(PURGE)
    application = other(level)
    late = write(application, created_at="2026-03-08", name=HANDOFF, conversation_id=1)
    steps = [
        "UPDATE public.reporting_events SET created_at = '2026-03-09' WHERE account_id = 2",
        "UPDATE public.reporting_events SET value = 3, user_id = 9 WHERE created_at < '2026-03-12'",
        "UPDATE public.reporting_events SET created_at = '2026-03-12' WHERE id % 2 = 0",
        f"DELETE FROM public.reporting_events WHERE id = {late}",
    ]
    for step in steps:
        application.execute(step)
        application.commit()
        assert_exact(session)
    for statement in ("SELECT rollup.rebuild()", "SELECT rollup.fold()", PURGE):
        session.execute(statement)
        assert recorded_and_pending(session)[1] == 0 or "fold" not in statement
        assert_exact(session)
    assert events(session) == 0


REFUSALS = {
    "not covered": "UPDATE rollup.accounts SET covered = '{}' WHERE account_id = 2",
    "partly covered": "UPDATE rollup.accounts SET covered = '{[2026-03-08,)}' WHERE account_id = 2",
    "covered too late": "UPDATE rollup.accounts SET covered = '{(,2026-03-09)}'"
    " WHERE account_id = 2",
    "to have another zone": "SELECT rollup.set_timezone(2, 'UTC')",
}


@pytest.mark.parametrize("statement", REFUSALS.values(), ids=REFUSALS)
def test_an_account_whose_rollups_may_be_wrong_is_refused(session: Session, statement: str) -> None:
    session.execute(statement)
    before = events(session)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as error:
        session.execute(PURGE_2)
    assert (events(session), sealed(session)) == (before, {})
    assert_exact(session)
    assert (error.value.diag.message_hint or "").endswith("CALL rollup.backfill(2).")
    session.execute("CALL rollup.backfill(2)")
    session.execute(PURGE_2)
    assert events(session, 2) == 0
    assert_exact(session)


@pytest.mark.parametrize("statement", REFUSALS.values(), ids=REFUSALS)
def test_a_purge_of_all_leaves_out_whose_rollups_may_be_wrong(
    session: Session, statement: str
) -> None:
    session.execute(statement)
    before = events(session, 2)
    said: list[tuple[str | None, ...]] = []
    session.add_notice_handler(lambda one: said.append((one.severity, one.message_hint)))
    session.execute(PURGE)
    assert [events(session, account) for account in (1, 2, 3)] == [0, before, 0]
    assert 2 not in sealed(session)
    assert [hint for level, hint in said if level == "WARNING"] == [
        "First run: CALL rollup.backfill(2)."
    ]
    assert_exact(session)


WRONG = "UPDATE public.reporting_events_rollups SET count = 9 WHERE account_id = 2 AND date = %s"


def test_a_day_that_differs_from_its_events_is_not_purged_until_it_is_repaired(
    session: Session,
) -> None:
    session.execute(WRONG, ("2026-03-09",))
    before = events(session)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as error:
        session.execute(PURGE_2)
    assert "account 2 differs" in str(error.value)
    assert "from 2026-03-09 to 2026-03-09" in str(error.value)
    assert "verify --account 2 --repair" in (error.value.diag.message_hint or "")
    assert (events(session), sealed(session)) == (before, {})
    session.execute(PURGE)
    assert [events(session, account) > 0 for account in (1, 2, 3)] == [False, True, False]
    session.execute("SELECT rollup.rebuild(2)")
    session.execute(PURGE_2)
    assert events(session) == 0
    assert_exact(session)


def test_a_day_that_differs_after_those_to_be_purged_does_not_matter(session: Session) -> None:
    session.execute(WRONG, ("2026-03-11",))
    session.execute(PURGE_2)
    assert events(session, 2) == 0
    session.execute("SELECT rollup.rebuild(2)")
    assert_exact(session)


def test_a_day_is_sealed_whole_and_only_when_the_days_before_it_are_purged(
    session: Session,
) -> None:
    session.execute(
        "INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)"
        " SELECT 'reply_time', 2, day + interval '12 h' + i * interval '1 s', day"
        " FROM generate_series('2026-01-05', '2026-01-07', interval '1 day') day,"
        " generate_series(1, 12000) i"
    )
    assert session.execute(f"SELECT rollup.purge_chunk(2, '{DAY}', 10)").fetchone() == (10,)
    assert sealed(session) == {2: "{(,2026-01-07)}"}
    session.execute(
        "UPDATE public.reporting_events_rollups SET count = 1 WHERE date = '2026-01-07'"
    )
    while sealed(session) == {2: "{(,2026-01-07)}"}:
        try:
            session.execute(f"SELECT rollup.purge_chunk(2, '{DAY}', 20000)")
        except psycopg.errors.ObjectNotInPrerequisiteState:
            break
    assert sealed(session) == {2: "{(,2026-01-07)}"}
    assert events(session, 2, "2026-01-07") == 0
    session.execute("SELECT rollup.rebuild(2)")
    session.execute(PURGE_2)
    assert sealed(session) == {2: f"{{(,{DAY})}}"}
    assert_exact(session)


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati", "America/New_York"])
def test_a_day_that_is_not_over_in_the_zone_of_the_account_is_not_purged(
    session: Session, zone: str
) -> None:
    session.execute("SELECT rollup.set_timezone(2, %s), rollup.rebuild(2)", (zone,))
    [today] = session.execute("SELECT (now() AT TIME ZONE %s)::date", (zone,)).fetchone() or ("",)
    before = events(session, 2, EVER)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="not over"):
        session.execute("CALL rollup.purge_events(%s::date + 1, 2)", (today,))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="not over"):
        session.execute("CALL rollup.purge_events(%s::date + 3)", (today,))
    assert (events(session, 2, EVER), sealed(session)) == (before, {})
    session.execute("CALL rollup.purge_events(%s, 2)", (today,))
    assert sealed(session) == {2: f"{{(,{today})}}"}
    assert_exact(session)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("CALL rollup.purge_events(NULL)", psycopg.errors.NullValueNotAllowed),
        ("CALL rollup.purge_events('infinity')", psycopg.errors.NullValueNotAllowed),
        ("SELECT rollup.purge_chunk(1, NULL, 0)", psycopg.Error),
        (f"BEGIN; {PURGE}", psycopg.errors.InvalidTransactionTermination),
        (f"BEGIN ISOLATION LEVEL REPEATABLE READ; {CHUNK}", psycopg.errors.ActiveSqlTransaction),
        (f"SELECT rollup.purge_chunk(77, '{DAY}', 9)", psycopg.errors.InvalidParameterValue),
    ],
)
def test_what_makes_no_sense_is_an_error_that_changes_nothing(
    session: Session, statement: str, error: type[psycopg.Error]
) -> None:
    before = events(session, before=EVER)
    *beginning, last = statement.split("; ")
    for part in beginning:
        session.execute(part)
    with pytest.raises(error):
        session.execute(last)
    session.execute("ROLLBACK")
    assert (events(session, before=EVER), sealed(session)) == (before, {})
    assert_exact(session)


def test_a_purge_that_is_cancelled_keeps_what_it_has_done_and_can_be_called_again(
    session: Session, other: Open
) -> None:
    watcher, writer = other(), other()
    watcher.autocommit = True
    write(writer, account_id=2, created_at="2026-03-08")
    with pytest.raises(psycopg.errors.QueryCanceled), waiting(watcher, session, PURGE):
        session.cancel_safe()
    assert sealed(session).keys() == {1}
    assert [events(session, account) > 0 for account in (1, 2, 3)] == [False, True, True]
    assert_exact(session)
    writer.commit()
    session.execute(PURGE)
    assert events(session) == 0
    assert_exact(session)


WRITES = {
    "inserts": "INSERT INTO public.reporting_events SELECT * FROM public.archive",
    "updates": "UPDATE public.reporting_events SET value = 5, conversation_id = 2 WHERE {recent}",
    "moves": "UPDATE public.reporting_events SET created_at = '2026-03-08' WHERE {recent}",
    "deletes": "DELETE FROM public.reporting_events WHERE {recent}",
    "other accounts": "UPDATE public.reporting_events SET account_id = 1, value = 2"
    " WHERE account_id = 2",
}


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "UTC", "Pacific/Apia"])
def test_a_change_of_zone_moves_late_events_to_and_from_sealed_days_and_loses_none(
    session: Session, zone: str
) -> None:
    """What is purged stays where it was; what there is has one day, before and after."""
    counted = """
    SELECT sum(count)::integer FROM rollup.current_rollups
    WHERE account_id = 2 AND dimension_type = 'account' AND metric = 'reply_time'
    """
    session.execute(PURGE)
    for hour in range(48):
        at = f"2026-03-09 {hour}:30" if hour < 24 else f"2026-03-10 {hour - 24}:30"
        write(session, account_id=2, name="reply_time", created_at=at)
    before = session.execute(counted).fetchone()
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    write(session, account_id=2, name="reply_time", created_at="2026-03-09 12:00")
    session.execute("COMMIT")
    session.execute("SELECT rollup.set_timezone(2, %s)", (zone,))
    session.execute("CALL rollup.backfill(2)")
    assert before is not None
    assert session.execute(counted).fetchone() == (before[0] + 1,)
    assert session.execute("SELECT count(*) FROM rollup.drift()").fetchone() == (0,)
    session.execute("DELETE FROM public.reporting_events WHERE account_id = 2 AND value = 60")
    assert session.execute(counted).fetchone() == (before[0] - 48,)
    session.execute("SELECT rollup.set_timezone(2, NULL), rollup.rebuild(2)")
    write(session, account_id=2, name="reply_time", created_at="2026-03-01")
    session.execute("SELECT rollup.set_timezone(2, 'America/New_York')")
    session.execute("CALL rollup.backfill(2)")
    assert session.execute(counted).fetchone() == (before[0] - 47,)


def test_what_is_pending_of_purged_events_outlives_a_change_of_zone(session: Session) -> None:
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    write(session, account_id=2, created_at="2026-03-10 02:00")
    session.execute("COMMIT")
    session.execute(PURGE)
    assert recorded_and_pending(session)[1] == 0
    kept = record(session)
    session.execute("SELECT rollup.set_timezone(2, 'UTC')")
    session.execute("CALL rollup.backfill(2)")
    assert record(session) == kept


def test_a_purge_while_another_session_changes_the_zone_is_refused(
    session: Session, other: Open
) -> None:
    holder = other()
    holder.execute("SELECT rollup.set_timezone(2, 'UTC')")
    before = events(session, 2)
    with pytest.raises(psycopg.errors.LockNotAvailable, match="time zone of account 2") as error:
        session.execute(PURGE_2)
    assert "call it again" in (error.value.diag.message_hint or "")
    holder.rollback()
    assert (events(session, 2), sealed(session)) == (before, {})
    session.execute(PURGE_2)
    assert events(session, 2) == 0
    assert_exact(session)


def test_a_purge_of_all_goes_on_past_an_account_that_another_session_changes(
    session: Session, other: Open
) -> None:
    holder = other()
    holder.execute("SELECT rollup.set_timezone(2, 'UTC')")
    before = events(session, 2)
    said: list[str] = []
    session.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    session.execute(PURGE)
    holder.rollback()
    assert (events(session, 1), events(session, 2), events(session, 3)) == (0, before, 0)
    assert any("account 2 is not purged: another session" in one for one in said)
    session.execute(PURGE)
    assert events(session, 2) == 0
    assert_exact(session)


def test_a_purge_leaves_events_that_another_session_has_locked_for_the_next(
    session: Session, other: Open
) -> None:
    holder = other("REPEATABLE_READ")
    [first] = holder.execute(ONE_OF_1).fetchone() or (0,)
    holder.execute("UPDATE public.reporting_events SET value = 1 WHERE id = %s", (first,))
    session.execute(PURGE)
    assert events(session, 1) == 1
    holder.commit()
    assert_exact(session)
    session.execute(PURGE)
    assert events(session, 1) == 0
    assert_exact(session)


@pytest.mark.parametrize("kept", ["true", "e.id % 3 = 0"])
def test_events_that_a_trigger_keeps_are_an_error_and_stay_in_the_totals(
    kept: str, session: Session
) -> None:
    before = session.execute(RECORD, {"before": EVER}).fetchall()
    session.execute(
        "CREATE FUNCTION public.keep_some() RETURNS trigger LANGUAGE plpgsql AS $$"
        f"DECLARE e public.reporting_events := OLD; BEGIN IF {kept} THEN RETURN NULL; END IF;"
        " RETURN OLD; END $$;"
        "CREATE TRIGGER keep_some BEFORE DELETE ON public.reporting_events FOR EACH ROW"
        " EXECUTE FUNCTION public.keep_some()"
    )
    with pytest.raises(
        psycopg.errors.ObjectNotInPrerequisiteState,
        match=r"events of account 2 are not deleted: a trigger on public\.reporting_events keeps",
    ):
        session.execute(PURGE_2)
    assert session.execute(RECORD, {"before": EVER}).fetchall() == before
    if kept == "true":
        assert session.execute(SEALED).fetchall() == []
    session.execute("DROP TRIGGER keep_some ON public.reporting_events")
    session.execute(PURGE_2)
    assert session.execute(RECORD, {"before": EVER}).fetchall() == before
