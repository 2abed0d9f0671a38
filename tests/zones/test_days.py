"""Days are those of the account's time zone, whatever that zone does, and when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from generator import registry
from tests.support.events import desk, mix, rollups, row_versions, write
from tests.support.oracle import assert_exact, assert_exact_where_covered

if TYPE_CHECKING:
    from tests.support.databases import Connect

ACCOUNT = """
SELECT timezone, wanted, covered::text
FROM rollup.accounts
WHERE account_id = %s
"""
STATE = "SELECT state FROM rollup.status WHERE account_id = %s"

EVERY_HALF_HOUR = """
INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
SELECT 'reply_time', 1, t, t
FROM generate_series(%s::timestamp, %s::timestamp, '30 minutes') t
"""
DAYS = "SELECT date::text, count FROM rollup.current_rollups WHERE account_id = 1 ORDER BY date"

ZONE_OF_EACH = """
INSERT INTO rollup.accounts (account_id, timezone, wanted)
SELECT 1000 + row_number() OVER (ORDER BY t.name), t.name, t.name
FROM pg_timezone_names t
"""
EVENTS_OF_EACH = """
INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
SELECT 'reply_time', a.account_id, t, t
FROM rollup.accounts a
CROSS JOIN (VALUES
    (timestamp '0001-01-01 00:00'), ('1600-02-29 12:00'), ('1883-11-18 17:00'),
    ('1940-06-15 23:59:59'), ('1972-01-07 00:44:29'), ('1995-01-01 10:00'),
    ('2011-12-30 12:00'), ('2026-03-29 01:00'), ('2026-10-25 00:59:59.999999'),
    ('9999-12-31 23:59:59.999999')
) v (t)
"""


@pytest.fixture
def connection(database: str, connect: Connect) -> psycopg.Connection[Any]:
    return desk(connect(database))


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Chennai", "Asia/Kolkata"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Nuku'alofa", "Pacific/Tongatapu"),
        ("europe/rome", "Europe/Rome"),
        ("UTC", "UTC"),
        ("cet", "Europe/Brussels"),
        ("EST", "America/Panama"),
        (None, None),
    ],
)
def test_a_zone_is_set_by_its_name_or_by_an_alias(
    connection: psycopg.Connection[Any], name: str | None, zone: str | None
) -> None:
    mix(connection)
    set_zone = "SELECT rollup.set_timezone(1, %s)"
    assert connection.execute(set_zone, (name,)).fetchone() == (zone,)
    assert_exact(connection)
    connection.execute("SELECT rollup.rebuild(1)")
    assert connection.execute(ACCOUNT, (1,)).fetchone() == (zone, zone, "{(,)}" if zone else "{}")
    assert_exact(connection)


@pytest.mark.parametrize("abbreviations", ["Default", "Australia", "India"])
def test_no_zone_is_taken_for_an_abbreviation(
    connection: psycopg.Connection[Any], abbreviations: str
) -> None:
    """Which has no summer time; and 'EST' is ten hours east for a writer who sets Australia."""
    connection.execute(f"SET timezone_abbreviations = '{abbreviations}'")
    shadowed = "SELECT b.abbrev FROM pg_timezone_abbrevs b WHERE b.utc_offset <> interval '0'"
    zones = "SELECT DISTINCT upper(rollup.canonical_timezone(t.name)) FROM pg_timezone_names t"
    assert connection.execute(f"{zones} WHERE upper(t.name) IN ({shadowed})").rowcount == 5
    assert connection.execute(f"{zones} INTERSECT ({shadowed})").fetchall() == []


def test_every_alias_of_the_registry_stands_for_a_zone_of_the_server(
    connection: psycopg.Connection[Any],
) -> None:
    names = {name for (name,) in connection.execute("SELECT name FROM pg_timezone_names")}
    aliases = registry.load(None).timezone_aliases
    assert [alias for alias, zone in aliases if zone not in names] == []


@pytest.mark.parametrize(
    "name",
    ["", " ", "Mars/Olympus3", "Foo5", "+05:30", "IST", "<+03>-3", "Europe/Rome ", "chennai'"],
)
def test_a_name_that_is_none_is_an_error_with_a_hint_and_changes_nothing(
    connection: psycopg.Connection[Any], name: str
) -> None:
    mix(connection)
    before = connection.execute("SELECT a.xmin::text, a::text FROM rollup.accounts a").fetchall()
    for account in (1, 5):
        with pytest.raises(psycopg.errors.InvalidParameterValue) as raised:
            connection.execute("SELECT rollup.set_timezone(%s, %s)", (account, name))
        assert raised.value.sqlstate == "22023"
        assert "pg_timezone_names" in (raised.value.diag.message_hint or "")
    after = connection.execute("SELECT a.xmin::text, a::text FROM rollup.accounts a").fetchall()
    assert after == before
    assert_exact(connection)


def test_a_zone_for_no_account_is_an_error_with_a_hint(
    connection: psycopg.Connection[Any],
) -> None:
    with pytest.raises(psycopg.errors.NullValueNotAllowed) as raised:
        connection.execute("SELECT rollup.set_timezone(NULL, 'UTC')")
    assert raised.value.diag.message_hint
    assert_exact(connection)


def test_a_change_of_zone_voids_the_coverage_and_the_same_zone_again_does_not(
    connection: psycopg.Connection[Any],
) -> None:
    mix(connection)
    for name in ("Asia/Kolkata", "Chennai"):
        connection.execute("SELECT rollup.set_timezone(1, %s)", (name,))
        covered = ("Asia/Kolkata", "Asia/Kolkata", "{(,)}")
        assert connection.execute(ACCOUNT, (1,)).fetchone() == covered
    connection.execute("SELECT rollup.set_timezone(1, 'Asia/Tokyo')")
    uncovered = ("Asia/Kolkata", "Asia/Tokyo", "{}")
    assert connection.execute(ACCOUNT, (1,)).fetchone() == uncovered
    assert connection.execute(STATE, (1,)).fetchone() == ("time zone changed, not yet rebuilt",)
    connection.execute("SELECT rollup.rebuild(1, '2026-03-01', '2026-04-01')")
    assert connection.execute(ACCOUNT, (1,)).fetchone() == uncovered
    connection.execute("SELECT rollup.set_timezone(1, 'Asia/Kolkata')")
    assert connection.execute(ACCOUNT, (1,)).fetchone() == ("Asia/Kolkata", "Asia/Kolkata", "{}")
    assert_exact(connection)


def test_an_account_that_is_switched_off_keeps_its_days_until_a_rebuild_removes_them(
    connection: psycopg.Connection[Any],
) -> None:
    mix(connection)
    connection.execute("SELECT rollup.set_timezone(1, NULL)")
    assert connection.execute(ACCOUNT, (1,)).fetchone() == ("Asia/Kolkata", None, "{}")
    mix(connection)
    assert_exact(connection)
    connection.execute("SELECT rollup.rebuild(1)")
    assert connection.execute(ACCOUNT, (1,)).fetchone() == (None, None, "{}")
    assert connection.execute(STATE, (1,)).fetchone() == ("off",)
    assert connection.execute(DAYS).fetchall() == []
    mix(connection)
    assert_exact(connection)
    connection.execute("SELECT rollup.set_timezone(1, 'Asia/Tokyo')")
    assert connection.execute(ACCOUNT, (1,)).fetchone() == ("Asia/Tokyo", "Asia/Tokyo", "{}")
    assert_exact_where_covered(connection)
    connection.execute("SELECT rollup.rebuild(1)")
    assert_exact(connection)


def test_the_view_is_exact_before_a_change_of_zone_after_it_and_after_the_rebuild(
    connection: psycopg.Connection[Any],
) -> None:
    mix(connection, 300)
    for zone in ("Pacific/Apia", "Etc/GMT+12", "Asia/Kathmandu"):
        before = rollups(connection)
        connection.execute("SELECT rollup.set_timezone(1, %s)", (zone,))
        assert rollups(connection) == before
        write(connection, created_at="2026-03-10 10:30")
        connection.execute(
            "DELETE FROM public.reporting_events WHERE account_id = 1 AND id % 10 = 3"
        )
        assert_exact(connection)
        connection.execute("SELECT rollup.rebuild(1)")
        assert_exact(connection)
        assert connection.execute("SELECT rollup.rebuild()").fetchone() == (0,)


def test_covered_days_are_exact_while_a_change_of_zone_is_backfilled_in_chunks(
    connection: psycopg.Connection[Any], database: str, connect: Connect
) -> None:
    mix(connection, 300)
    other = connect(database)
    connection.execute("SELECT rollup.set_timezone(1, 'Pacific/Apia')")
    chunks = connection.execute(
        "SELECT since::text, until::text FROM rollup.backfill_chunks(1, NULL, NULL, 7)"
    ).fetchall()
    assert len(chunks) > 5
    for since, until in chunks:
        with connection.transaction():
            connection.execute("SELECT rollup.switch_timezone(ARRAY [1::bigint])")
            connection.execute("SELECT rollup.rebuild(1, %s, %s)", (since, until))
            mix(other, 40)
            assert_exact_where_covered(other)
            assert_exact_where_covered(connection)
        assert_exact_where_covered(other)
        other.execute("UPDATE public.reporting_events SET account_id = 2 WHERE id % 20 = 3")
        other.execute("DELETE FROM public.reporting_events WHERE id % 30 = 5")
        assert_exact_where_covered(other)
    assert connection.execute(STATE, (1,)).fetchone() == ("covered",)
    assert_exact(connection)


@pytest.mark.parametrize(
    ("zone", "since", "until", "days"),
    [
        ("America/New_York", "2026-03-07 05:00", "2026-03-10 03:30",
         {"2026-03-07": 48, "2026-03-08": 46, "2026-03-09": 48}),
        ("America/New_York", "2026-10-31 04:00", "2026-11-03 04:30",
         {"2026-10-31": 48, "2026-11-01": 50, "2026-11-02": 48}),
        ("Australia/Lord_Howe", "2026-04-03 13:00", "2026-04-06 13:00",
         {"2026-04-04": 48, "2026-04-05": 49, "2026-04-06": 48}),
        ("Australia/Lord_Howe", "2026-10-02 13:30", "2026-10-05 12:30",
         {"2026-10-03": 48, "2026-10-04": 47, "2026-10-05": 48}),
        ("Pacific/Apia", "2011-12-29 10:00", "2011-12-31 09:30",
         {"2011-12-29": 48, "2011-12-31": 48}),
    ],
    ids=["a day of 23 h", "a day of 25 h", "a day of 24.5 h", "a day of 23.5 h", "a day skipped"],
)  # fmt: skip
def test_a_day_has_the_half_hours_that_it_has(
    connection: psycopg.Connection[Any], zone: str, since: str, until: str, days: dict[str, int]
) -> None:
    connection.execute("SELECT rollup.set_timezone(1, %s), rollup.rebuild(1)", (zone,))
    connection.execute(EVERY_HALF_HOUR, (since, until))
    assert dict(connection.execute(DAYS).fetchall()) == days
    assert_exact(connection)
    recorded = row_versions(connection)
    for first in days:
        rebuild = "SELECT rollup.rebuild(1, %s::date, %s::date + 1)"
        assert connection.execute(rebuild, (first, first)).fetchone() == (0,)
    assert row_versions(connection) == recorded


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("UTC", "2026-03-10 00:00"),
        ("Asia/Kolkata", "2026-03-09 18:30"),
        ("Asia/Kathmandu", "2026-03-09 18:15"),
        ("America/New_York", "2026-03-10 04:00"),
        ("Pacific/Kiritimati", "2026-03-09 10:00"),
        ("Etc/GMT+12", "2026-03-10 12:00"),
    ],
)
def test_a_day_begins_at_midnight_to_the_microsecond(
    connection: psycopg.Connection[Any], zone: str, midnight: str
) -> None:
    connection.execute("SELECT rollup.set_timezone(1, %s), rollup.rebuild(1)", (zone,))
    connection.execute(
        """
        INSERT INTO public.reporting_events (name, account_id, created_at, updated_at)
        SELECT 'reply_time', 1, %s::timestamp + i * interval '1 microsecond', now()
        FROM generate_series(-2, 0) i
        """,
        (midnight,),
    )
    assert connection.execute(DAYS).fetchall() == [("2026-03-09", 2), ("2026-03-10", 1)]
    assert_exact(connection)


def test_every_zone_of_the_server_counts_what_the_oracle_counts(
    connection: psycopg.Connection[Any],
) -> None:
    connection.execute(ZONE_OF_EACH)
    connection.execute(EVENTS_OF_EACH)
    assert_exact(connection)
    connection.execute("SET default_transaction_isolation = 'repeatable read'")
    connection.execute(EVENTS_OF_EACH)
    assert_exact(connection)
    connection.execute("SET default_transaction_isolation = 'read committed'")
    connection.execute("SELECT rollup.fold()")
    assert_exact(connection)
    connection.execute("DELETE FROM public.reporting_events_rollups")
    connection.execute("SELECT rollup.rebuild()")
    assert_exact(connection)
