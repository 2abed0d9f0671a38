"""A time zone that an upgrade of the server has dropped: it hurts its account alone, not for good.

What the account's events come to is judged as if the zone were known: nothing may be lost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator import registry
from generator.deploy.deploy import deploy
from tests.support import oracle
from tests.support.command import run, succeed
from tests.support.events import HANDOFF, desk, mix, recorded_and_pending, row_versions, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

GONE = "Mars/Olympus"
ZONE = "America/New_York"
LEVELS = pytest.mark.parametrize(
    "level", ["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
)

FORGET = """
UPDATE rollup.accounts SET timezone = %(gone)s, wanted = %(gone)s WHERE account_id = %(id)s
"""
REMEMBER = "UPDATE rollup.accounts SET timezone = %s WHERE timezone = %s"

INSERT = """
INSERT INTO public.reporting_events (
    name, value, account_id, conversation_id, created_at, updated_at
)
SELECT n, 7, a, 5, '2026-03-11', '2026-03-11'
FROM unnest(ARRAY [{}]) a
CROSS JOIN unnest(ARRAY ['reply_time', 'conversation_bot_handoff']) n
"""
STATEMENTS = (
    INSERT.format("2"),
    INSERT.format("1"),
    INSERT.format("258"),
    INSERT.format("1, 2, 3, 258"),
    "UPDATE public.reporting_events SET value = 8 WHERE account_id = 2",
    "UPDATE public.reporting_events SET value = 8 WHERE account_id = 1",
    "UPDATE public.reporting_events SET value = 9, created_at = created_at + interval '1 day'",
    "UPDATE public.reporting_events SET account_id = 2 WHERE account_id = 1 AND id % 3 = 0",
    "UPDATE public.reporting_events SET account_id = 3 WHERE account_id = 2 AND id % 3 = 0",
    "DELETE FROM public.reporting_events WHERE account_id = 2 AND id % 4 = 0",
    "DELETE FROM public.reporting_events WHERE account_id = 3 AND id % 4 = 0",
    "DELETE FROM public.reporting_events WHERE id % 5 = 0",
)
COPY = """
COPY public.reporting_events (name, account_id, user_id, created_at, updated_at) FROM STDIN
"""
COPIED = [("reply_time", id_, 4, "2026-03-12", "2026-03-12") for id_ in (1, 2, 3, 2, 258)]

STATES = "SELECT account_id, state FROM rollup.status"
COVERED = "SELECT account_id FROM rollup.coverage WHERE covered = '{(,)}' ORDER BY account_id"
UNCOVER = "UPDATE rollup.accounts SET covered = '{}'"
EVENTS = "SELECT e::text FROM public.reporting_events e ORDER BY e.id"
FEW = """
SELECT account_id, count(*) FROM public.reporting_events
WHERE created_at < '2026-03-07 18:00' AND account_id IS NOT NULL
GROUP BY account_id
"""
ARCHIVED = oracle.DIFFERENCES.replace(
    b"public.reporting_events e",
    b"(TABLE public.reporting_events UNION TABLE public.archive) e",
)


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk whose accounts 2, known to have events, and 1002 lose their zone."""
    session = desk(connect(database))
    for account in (258, 1002):
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, ZONE))
    session.execute("SELECT rollup.rebuild()")
    mix(session, 150)
    write(session, account_id=1002)
    for account in (2, 1002):
        session.execute(FORGET, {"gone": GONE, "id": account})
    return session


def assert_nothing_is_lost(session: Session) -> None:
    """Fail unless record and pending events are what they should be, were the zone known."""
    with session.transaction(force_rollback=True):
        session.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        session.execute(REMEMBER, (ZONE, GONE))
        assert_exact(session)


def cure(session: Session) -> None:
    """Give the accounts another zone, as docs/operations.md says, and see that all is exact."""
    for account in (2, 1002):
        session.execute("SELECT rollup.set_timezone(%s, 'Europe/Berlin')", (account,))
    session.execute("CALL rollup.backfill()")
    assert session.execute(COVERED).fetchall() == [(1,), (2,), (3,), (258,), (1002,)]
    assert_exact(session)


def wait_for_zones(session: Session) -> None:
    """Write events of all accounts that stay pending."""
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    session.execute(INSERT.format("1, 2, 3, 1002"))
    session.execute("COMMIT")


def told(session: Session, statement: str) -> str:
    """Execute a statement and return its error and its notices, with their hints."""
    said: list[str] = []

    def note(one: psycopg.errors.Diagnostic) -> None:
        said.append(f"{one.message_primary} HINT: {one.message_hint}")

    session.add_notice_handler(note)
    try:
        session.execute(statement)
    except psycopg.errors.InvalidParameterValue as error:
        note(error.diag)
    session.remove_notice_handler(note)
    return "\n".join(said)


def assert_helpful(said: str) -> None:
    assert GONE in said
    assert "rollup.set_timezone(" in said


@LEVELS
def test_no_write_fails_or_is_lost(session: Session, level: str) -> None:
    session.execute(f"SET default_transaction_isolation = '{level}'")
    for statement in STATEMENTS:
        session.execute(statement)
        assert_nothing_is_lost(session)
    with session.cursor() as cursor, cursor.copy(COPY) as copy:
        for row in COPIED:
            copy.write_row(row)
    assert_nothing_is_lost(session)
    with session.transaction():
        for statement in STATEMENTS:
            session.execute(statement)
    session.execute("SET default_transaction_isolation = 'read committed'")
    assert_nothing_is_lost(session)
    cure(session)


def test_other_accounts_are_recorded_at_once(session: Session) -> None:
    write(session, account_id=2)
    for account in (1, 3, 258):
        write(session, account_id=account)
    session.execute(INSERT.format("1, 2, 3"))
    pending = session.execute("SELECT DISTINCT account_id FROM rollup.pending_events")
    assert pending.fetchall() == [(2,)]
    assert_nothing_is_lost(session)
    cure(session)


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize(("account", "other"), [(2, 1002), (1002, 2)])
def test_no_truncate_fails(session: Session, level: str, account: int, other: int) -> None:
    """Its trigger takes slots by number, which are those of the accounts 0 to 255, not of 1002."""
    session.execute("SELECT rollup.set_timezone(%s, 'UTC'), rollup.rebuild(%s)", (other, other))
    wait_for_zones(session)
    session.execute(f"SET default_transaction_isolation = '{level}'")
    session.execute("TRUNCATE public.reporting_events")
    session.execute(INSERT.format("1, 2, 3, 1002"))
    session.execute("SET default_transaction_isolation = 'read committed'")
    session.execute("SELECT rollup.set_timezone(%s, 'Europe/Berlin')", (account,))
    session.execute("CALL rollup.backfill()")
    assert_exact(session)


def test_fold_leaves_the_events_without_a_day_and_folds_the_others(session: Session) -> None:
    wait_for_zones(session)
    for scope, folded, left in (("2", 0, 8), ("1", 2, 6), ("", 2, 4)):
        assert session.execute(f"SELECT rollup.fold({scope})").fetchone() == (folded,)
        assert recorded_and_pending(session)[1] == left
        assert_nothing_is_lost(session)
    cure(session)


@pytest.mark.parametrize("view", ["current_rollups", "current_members"])
def test_views_go_on_to_show_the_others(session: Session, view: str) -> None:
    shown = f"SELECT * FROM rollup.{view} WHERE account_id IN (1, 3) ORDER BY 1, 2, 3, 4, 5, 6"
    write(session, account_id=2, name=HANDOFF)
    wait_for_zones(session)
    assert session.execute(shown).fetchall()
    with session.transaction(force_rollback=True):
        session.execute(REMEMBER, (ZONE, GONE))
        expected = session.execute(shown).fetchall()
    everything = session.execute(f"TABLE rollup.{view}").fetchall()
    assert sorted(row for row in everything if row[0] in (1, 3)) == sorted(expected)
    assert_nothing_is_lost(session)


def test_days_whose_events_cannot_be_counted_are_not_covered(session: Session) -> None:
    wait_for_zones(session)
    for account in (2, 1002):
        write(session, account_id=account)
    session.execute("SELECT rollup.fold()")
    assert session.execute(COVERED).fetchall() == [(1,), (3,), (258,)]
    cure(session)


def test_status_tells_of_it(session: Session) -> None:
    wait_for_zones(session)
    assert dict(session.execute(STATES).fetchall()) == {
        **dict.fromkeys((1, 3, 258), "covered"),
        **dict.fromkeys((2, 1002), "time zone gone from the server"),
    }
    assert_nothing_is_lost(session)


@pytest.mark.parametrize("days", ["", ", '2026-03-08', '2026-03-12'"], ids=["", "days"])
def test_drift_and_rebuild_of_other_accounts_work(session: Session, days: str) -> None:
    wait_for_zones(session)
    session.execute(
        "UPDATE public.reporting_events_rollups SET count = 9"
        " WHERE account_id NOT IN (2, 1002) AND date BETWEEN '2026-03-08' AND '2026-03-11'"
    )
    for account in (1, 3):
        drift = f"SELECT rollup.drift({account}{days})"
        assert session.execute(drift).fetchall()
        session.execute(f"SELECT rollup.rebuild({account}{days})")
        assert session.execute(drift).fetchall() == []
    assert_nothing_is_lost(session)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT rollup.drift()",
        "SELECT rollup.drift(2)",
        "SELECT rollup.rebuild()",
        "SELECT rollup.rebuild(2)",
        "SELECT rollup.rebuild(2, '2026-03-08', '2026-03-12')",
        "CALL rollup.backfill(2)",
        "CALL rollup.purge_events('2026-03-08', 2)",
    ],
)
def test_what_needs_its_days_names_the_zone_and_what_to_do(
    session: Session, statement: str
) -> None:
    wait_for_zones(session)
    if "backfill" in statement:
        session.execute(UNCOVER)
    before = session.execute(EVENTS).fetchall()
    assert_helpful(told(session, statement))
    assert session.execute(EVENTS).fetchall() == before
    assert_nothing_is_lost(session)


def test_a_backfill_of_all_covers_the_others(session: Session) -> None:
    wait_for_zones(session)
    session.execute(UNCOVER)
    assert_helpful(told(session, "CALL rollup.backfill()"))
    assert session.execute(COVERED).fetchall() == [(1,), (3,), (258,)]
    assert_nothing_is_lost(session)
    cure(session)


def test_a_purge_of_all_purges_the_others(session: Session) -> None:
    session.execute("CREATE TABLE public.archive AS TABLE public.reporting_events")
    before = dict(session.execute(FEW).fetchall())
    said = told(session, "CALL rollup.purge_events('2026-03-08')")
    left = dict(session.execute(FEW).fetchall())
    session.execute(REMEMBER, (ZONE, GONE))
    assert session.execute(ARCHIVED, {"covered": False}).fetchall() == []
    assert set(before) == {1, 2, 3}
    assert left == {2: before[2]}
    assert re.search("account 2 is not purged: .* zone .* HINT: Give it another: .*", said)
    assert_helpful(told(session, "CALL rollup.backfill(2)"))


def test_deploy_changes_nothing(session: Session, database: str) -> None:
    wait_for_zones(session)
    before = row_versions(session)
    again = deploy(database, registry.load(None))
    assert (again.changes, again.coverage_voided, again.accounts_followed) == ((), False, 0)
    assert row_versions(session) == before
    assert_nothing_is_lost(session)


@pytest.mark.parametrize(
    "arguments",
    [("verify",), ("backfill",), ("backfill", "--account", "2")],
    ids=" ".join,
)
def test_commands_that_need_its_days_name_the_zone_and_what_to_do(
    session: Session, database: str, arguments: tuple[str, ...]
) -> None:
    wait_for_zones(session)
    session.execute(UNCOVER)
    done = run(*arguments, on=database)
    assert GONE in done.output
    assert re.search("hint: .*timezone", done.stderr)
    assert_nothing_is_lost(session)
    cure(session)


def test_commands_that_do_not_need_its_days_work(session: Session, database: str) -> None:
    wait_for_zones(session)
    succeed("verify", "--account", "1", on=database)
    for command in ("status", "timezone"):
        assert "time zone gone from the server" in succeed(command, on=database)
    assert "nothing to do" in succeed("deploy", on=database)
    assert succeed("fold", on=database) == "folded 4 pending events, 4 left\n"
    succeed("timezone", "2", "Europe/Berlin", on=database)
    succeed("timezone", "1002", "--off", on=database)
    assert_exact(session)


CURES: dict[str, Iterable[str]] = {
    "rebuild": ("SELECT rollup.set_timezone(2, 'UTC')", "SELECT rollup.rebuild(2)"),
    "backfill": ("SELECT rollup.set_timezone(2, 'UTC')", "CALL rollup.backfill(2)"),
    "off": ("SELECT rollup.set_timezone(2, NULL)", "SELECT rollup.rebuild(2)"),
    "the application": (
        'INSERT INTO public.accounts (id, settings) VALUES (2, \'{"reporting_timezone": "UTC"}\')',
        "CALL rollup.backfill(2)",
    ),
    "the zone is back": (
        f"UPDATE rollup.accounts SET timezone = '{ZONE}', wanted = '{ZONE}' WHERE account_id = 2",
        "SELECT rollup.fold()",
    ),
}


@pytest.mark.parametrize("statements", CURES.values(), ids=CURES)
def test_another_zone_or_none_makes_it_exact(session: Session, statements: Iterable[str]) -> None:
    session.execute("DELETE FROM public.reporting_events WHERE account_id = 1002")
    session.execute("SELECT rollup.set_timezone(1002, NULL), rollup.rebuild(1002)")
    wait_for_zones(session)
    write(session, account_id=2)
    for statement in statements:
        session.execute(statement)
    assert_exact(session)
    write(session, account_id=2)
    assert_exact(session)


def test_a_wanted_zone_that_is_gone_leaves_the_old_one_in_force(session: Session) -> None:
    cure(session)
    session.execute("UPDATE rollup.accounts SET wanted = %s WHERE account_id = 2", (GONE,))
    wait_for_zones(session)
    for statement in ("SELECT rollup.rebuild(2)", "CALL rollup.backfill(2)"):
        assert GONE in told(session, statement)
        assert_exact(session)
    write(session, account_id=2)
    assert_exact(session)
    assert dict(session.execute(STATES).fetchall())[2] == "time zone gone from the server"
