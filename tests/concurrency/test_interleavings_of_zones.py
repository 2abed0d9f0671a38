"""Changes of time zone beside writers and rebuilds: named by the pair, by which comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.events import desk, mix, recorded_and_pending, rollups, write
from tests.support.oracle import assert_exact, assert_exact_where_covered
from tests.support.waiting import blockers, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Connect

    Open = Callable[[], psycopg.Connection[Any]]

NEVER_WAITS = "-c lock_timeout=100ms"
ACCOUNT = """
SELECT timezone, wanted, covered = '{(,)}', isempty(covered)
FROM rollup.accounts
WHERE account_id = %s
"""
SETTING = '{"reporting_timezone": "UTC"}'
OTHER = "Asia/Tokyo"
OTHER_SETTING = f'{{"reporting_timezone": "{OTHER}"}}'
ZONES_OF_5 = """
SELECT a.timezone, a.wanted, v.covered::text
FROM rollup.accounts a
JOIN rollup.coverage v ON v.account_id = a.account_id
WHERE a.account_id = 5
"""
TO_APIA = "SELECT rollup.set_timezone(1, 'Pacific/Apia')"

PAUSE = """
CREATE FUNCTION public.pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7);
    RETURN NULL;
END $$;
CREATE TRIGGER pause AFTER INSERT ON public.reporting_events_rollups
    FOR EACH STATEMENT EXECUTE FUNCTION public.pause();
"""


@pytest.fixture
def watcher(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


@pytest.fixture
def writer(watcher: psycopg.Connection[Any], database: str, connect: Connect) -> Open:
    """Give a function that connects a writer; its transactions stay open, and it never waits."""
    return lambda: connect(database, autocommit=False, options=NEVER_WAITS)


@pytest.fixture
def rebuilder(watcher: psycopg.Connection[Any], database: str, connect: Connect) -> Open:
    """Give a function that connects a session that may wait, and whose transactions stay open."""
    return lambda: connect(database, autocommit=False)


def test_insert_and_set_timezone_neither_waits(
    watcher: psycopg.Connection[Any], writer: Open
) -> None:
    inserter, setter = writer(), writer()
    write(inserter)
    setter.execute(TO_APIA)
    write(inserter, created_at="2026-03-10 20:00")
    assert_exact(inserter)
    setter.commit()
    assert_exact(watcher)
    write(inserter, created_at="2026-03-10 23:00")
    inserter.commit()
    assert_exact(watcher)
    assert watcher.execute(ACCOUNT, (1,)).fetchone() == (
        ("Asia/Kolkata", "Pacific/Apia", False, True)
    )
    watcher.execute("SELECT rollup.rebuild(1)")
    assert watcher.execute(ACCOUNT, (1,)).fetchone() == (
        ("Pacific/Apia", "Pacific/Apia", True, False)
    )
    assert_exact(watcher)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_set_timezone_and_insert_neither_waits(
    watcher: psycopg.Connection[Any], writer: Open, end: str
) -> None:
    inserter, setter = writer(), writer()
    setter.execute(TO_APIA)
    write(inserter)
    assert recorded_and_pending(inserter) == (3, 0)
    getattr(setter, end)()
    write(inserter)
    inserter.commit()
    assert_exact(watcher)


def test_insert_and_the_first_zone_of_its_account(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open
) -> None:
    inserter, late, patient = writer(), writer(), rebuilder()
    write(inserter, account_id=5)
    watcher.execute("SELECT rollup.set_timezone(5, 'UTC')")
    write(late, account_id=5)
    with waiting(watcher, patient, "SELECT rollup.rebuild(5)"):
        write(inserter, account_id=5)
        assert_exact_where_covered(inserter)
        late.commit()
        inserter.commit()
    patient.commit()
    assert watcher.execute(ACCOUNT, (5,)).fetchone() == ("UTC", "UTC", True, False)
    assert_exact(watcher)


@pytest.mark.parametrize("rebuild", ["rollup.rebuild(5)", "rollup.rebuild()"])
def test_rebuild_and_the_first_zone_of_an_account_covers_only_what_was_rebuilt(
    watcher: psycopg.Connection[Any], rebuilder: Open, rebuild: str
) -> None:
    """The zone comes when the rebuild has read the events and not yet written the coverage."""
    write(watcher, account_id=5)
    watcher.execute(PAUSE)
    watcher.execute("SELECT pg_advisory_lock(7)")
    patient = rebuilder()
    with waiting(watcher, patient, f"SELECT {rebuild}"):
        watcher.execute("SELECT rollup.set_timezone(5, 'UTC')")
        watcher.execute("SELECT pg_advisory_unlock(7)")
    patient.commit()
    assert_exact_where_covered(watcher)
    watcher.execute("SELECT rollup.rebuild(5)")
    assert_exact(watcher)


def test_rebuild_and_another_zone_covers_nothing(
    watcher: psycopg.Connection[Any], rebuilder: Open
) -> None:
    mix(watcher, 60)
    watcher.execute(PAUSE)
    watcher.execute("SELECT pg_advisory_lock(7)")
    patient = rebuilder()
    with waiting(watcher, patient, "SELECT rollup.rebuild(1)"):
        watcher.execute(TO_APIA)
        watcher.execute("SELECT pg_advisory_unlock(7)")
    patient.commit()
    assert watcher.execute(ACCOUNT, (1,)).fetchone() == (
        ("Asia/Kolkata", "Pacific/Apia", False, True)
    )
    assert_exact(watcher)


def test_set_timezone_then_rebuild_in_one_transaction_and_rebuild_do_not_deadlock(
    watcher: psycopg.Connection[Any], rebuilder: Open
) -> None:
    mix(watcher, 60)
    changer, other = rebuilder(), rebuilder()
    other.execute("SELECT rollup.rebuild(2)")
    changer.execute(TO_APIA)
    other.execute("SET LOCAL lock_timeout = '100ms'")
    other.execute("SELECT rollup.rebuild(1)")
    with waiting(watcher, changer, "SELECT rollup.rebuild(1)"):
        other.commit()
    changer.commit()
    assert watcher.execute(ACCOUNT, (1,)).fetchone() == (
        ("Pacific/Apia", "Pacific/Apia", True, False)
    )
    assert_exact(watcher)


def test_set_timezone_then_rebuild_in_one_transaction_before_another_rebuild(
    watcher: psycopg.Connection[Any], rebuilder: Open
) -> None:
    mix(watcher, 60)
    changer, other = rebuilder(), rebuilder()
    changer.execute(TO_APIA)
    changer.execute("SELECT rollup.rebuild(1)")
    before = rollups(watcher)
    with waiting(watcher, other, "SELECT rollup.rebuild()") as rebuilt:
        assert rollups(watcher) == before
        assert_exact(watcher)
        changer.commit()
    assert rebuilt.result() == [(0,)]
    other.commit()
    assert rollups(watcher) != before
    assert_exact(watcher)


def test_a_rebuild_leaves_out_the_zone_that_another_session_is_setting(
    watcher: psycopg.Connection[Any], writer: Open
) -> None:
    watcher.execute(TO_APIA)
    setter, impatient = writer(), writer()
    setter.execute("SELECT rollup.set_timezone(1, 'Asia/Tokyo')")
    impatient.execute("SELECT rollup.rebuild()")
    impatient.commit()
    setter.commit()
    assert watcher.execute(ACCOUNT, (1,)).fetchone() == (
        ("Asia/Kolkata", "Asia/Tokyo", False, True)
    )
    assert_exact(watcher)


@pytest.mark.parametrize("level", ["REPEATABLE_READ", "SERIALIZABLE"])
def test_a_writer_with_a_snapshot_older_than_a_change_of_zone(
    watcher: psycopg.Connection[Any], writer: Open, level: str
) -> None:
    mix(watcher, 60)
    old = writer()
    old.isolation_level = psycopg.IsolationLevel[level]
    before = rollups(old)
    watcher.execute(TO_APIA)
    watcher.execute("SELECT rollup.rebuild()")
    mix(watcher, 20)
    assert rollups(old) == before
    mix(old, 20)
    old.execute("UPDATE public.reporting_events SET user_id = 9, account_id = 1 WHERE id <= 30")
    old.execute("DELETE FROM public.reporting_events WHERE id <= 15")
    assert_exact(old)
    old.commit()
    assert_exact(watcher)
    watcher.execute("SELECT rollup.fold()")
    assert_exact(watcher)
    assert watcher.execute("SELECT rollup.rebuild()").fetchone() is not None
    assert_exact(watcher)


@pytest.mark.parametrize("zone", ["'Pacific/Apia'", "NULL"])
def test_insert_and_a_change_of_zone_the_rebuild_waits_and_then_all_days_are_the_new_ones(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open, zone: str
) -> None:
    mix(watcher, 60)
    inserter, late, changer = writer(), writer(), rebuilder()
    mix(inserter, 20)
    changer.execute(f"SELECT rollup.set_timezone(1, {zone})")
    with waiting(watcher, changer, "SELECT rollup.rebuild(1)"):
        assert blockers(watcher, changer) == [inserter.info.backend_pid]
        mix(late, 20)
        late.commit()
        assert_exact(watcher)
        inserter.commit()
        assert_exact(watcher)
    mix(late, 20)
    assert_exact(late)
    assert_exact(changer)
    changer.commit()
    assert_exact(watcher)
    late.commit()
    assert_exact(watcher)


def test_event_then_its_accounts_zone_and_set_timezone_then_rebuild_do_not_deadlock(
    watcher: psycopg.Connection[Any], rebuilder: Open
) -> None:
    watcher.execute("INSERT INTO public.accounts (id, settings) VALUES (5, %s)", (SETTING,))
    application, changer = rebuilder(), rebuilder()
    write(application, account_id=5)
    changer.execute("SELECT rollup.set_timezone(5, 'Pacific/Apia')")
    application.execute(
        "UPDATE public.accounts SET settings = settings || %s WHERE id = 5", (OTHER_SETTING,)
    )
    with waiting(watcher, changer, "SELECT rollup.rebuild(5)"):
        application.commit()
    changer.commit()
    watcher.execute("CALL rollup.backfill(5)")
    assert watcher.execute(ZONES_OF_5).fetchone() == (OTHER, OTHER, "{(,)}")
    assert_exact(watcher)


def test_an_account_is_updated_at_repeatable_read_beside_a_rebuild(
    watcher: psycopg.Connection[Any], writer: Open
) -> None:
    """The rebuild marks its days as covered in a row that the application does not know of."""
    watcher.execute("INSERT INTO public.accounts (id, settings) VALUES (5, %s)", (SETTING,))
    application = writer()
    application.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    application.execute("SELECT count(*) FROM public.accounts")
    watcher.execute("SELECT rollup.rebuild(5)")
    application.execute(
        "UPDATE public.accounts SET settings = settings || %s WHERE id = 5", (OTHER_SETTING,)
    )
    assert watcher.execute(ZONES_OF_5).fetchone() == ("UTC", "UTC", "{(,)}")
    application.commit()
    assert watcher.execute(ZONES_OF_5).fetchone() == ("UTC", "UTC", "{}")
    assert_exact(watcher)
    watcher.execute("SELECT rollup.fold()")
    assert watcher.execute(ZONES_OF_5).fetchone() == ("UTC", OTHER, "{}")
    watcher.execute("CALL rollup.backfill(5)")
    assert watcher.execute(ZONES_OF_5).fetchone() == (OTHER, OTHER, "{(,)}")
    assert_exact(watcher)


@pytest.mark.parametrize("level", ["REPEATABLE_READ", "SERIALIZABLE"])
def test_an_account_that_comes_above_read_committed_takes_part_from_the_next_fold_on(
    watcher: psycopg.Connection[Any], writer: Open, level: str
) -> None:
    application = writer()
    application.isolation_level = psycopg.IsolationLevel[level]
    application.execute("INSERT INTO public.accounts (id, settings) VALUES (5, %s)", (SETTING,))
    write(application, account_id=5)
    application.commit()
    assert watcher.execute(ZONES_OF_5).fetchone() is None
    watcher.execute("SELECT rollup.fold()")
    assert watcher.execute(ZONES_OF_5).fetchone() == ("UTC", "UTC", "{}")
    watcher.execute("CALL rollup.backfill(5)")
    assert rollups(watcher)[0][:2] == ("account", 5)
    assert_exact(watcher)


@pytest.mark.parametrize("call", ["rollup.fold()", "rollup.rebuild(1)", "rollup.follow_accounts()"])
def test_a_session_that_settles_waits_for_no_account_that_another_holds(
    watcher: psycopg.Connection[Any], writer: Open, rebuilder: Open, call: str
) -> None:
    watcher.execute("INSERT INTO public.accounts (id, settings) VALUES (5, %s)", (SETTING,))
    holder, application, settler = rebuilder(), writer(), writer()
    holder.execute("SELECT rollup.set_timezone(5, 'Pacific/Apia')")
    application.execute(
        "UPDATE public.accounts SET settings = settings || %s WHERE id = 5", (OTHER_SETTING,)
    )
    application.commit()
    for _ in range(2):
        settler.execute(f"SELECT {call}")
        settler.commit()
    holder.commit()
    assert watcher.execute(ZONES_OF_5).fetchone() == ("UTC", "Pacific/Apia", "{}")
    watcher.execute("SELECT rollup.fold()")
    assert watcher.execute(ZONES_OF_5).fetchone() == ("UTC", OTHER, "{}")
    watcher.execute("CALL rollup.backfill()")
    assert watcher.execute(ZONES_OF_5).fetchone() == (OTHER, OTHER, "{(,)}")
    assert_exact(watcher)


def test_set_timezone_of_a_new_account_and_the_application_which_does_not_wait_for_it(
    watcher: psycopg.Connection[Any], rebuilder: Open, writer: Open
) -> None:
    watcher.execute("INSERT INTO public.accounts (id) VALUES (5)")
    setter, application = rebuilder(), writer()
    setter.execute("SELECT rollup.set_timezone(5, 'UTC')")
    application.execute("UPDATE public.accounts SET settings = %s WHERE id = 5", (OTHER_SETTING,))
    application.commit()
    setter.commit()
    watcher.execute("CALL rollup.backfill(5)")
    assert watcher.execute(ZONES_OF_5).fetchone() == (OTHER, OTHER, "{(,)}")


def test_backfill_that_takes_over_an_account_and_waits_keeps_no_writer_waiting(
    watcher: psycopg.Connection[Any], writer: Open, database: str, connect: Connect
) -> None:
    holder, application, patient = writer(), writer(), connect(database)
    write(holder, account_id=261)  # which shares the slot of 5
    application.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    application.execute("INSERT INTO public.accounts (id, settings) VALUES (5, %s)", (SETTING,))
    application.commit()
    with waiting(watcher, patient, "CALL rollup.backfill()"):
        holder.execute("UPDATE public.accounts SET settings = '{}' WHERE id = 5")
        holder.commit()
    watcher.execute("SELECT rollup.fold(), rollup.rebuild()")
    assert watcher.execute(ZONES_OF_5).fetchone() == (None, None, "{}")
    assert_exact(watcher)
