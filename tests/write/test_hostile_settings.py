"""Settings of a session, as odd as they may be, change no number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.registry import DEFAULT, load, parse
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

ZONED = parse(
    DEFAULT.read_text().replace('time_type = "timestamp" ', 'time_type = "timestamptz" '), "test"
)
SETTINGS = {
    "a time zone far behind": "SET TimeZone TO 'FOO+150'",
    "a time zone far ahead": "SET TimeZone TO 'BAR-150'",
    "another time zone": "SET TimeZone TO 'Pacific/Apia'",
    "German dates": "SET DateStyle TO 'German, DMY'",
    "Postgres dates": "SET DateStyle TO 'Postgres, YMD'",
    "other intervals": "SET IntervalStyle TO 'sql_standard'",
    "comparisons with NULL": "SET transform_null_equals TO on",
    "rounded floats": "SET extra_float_digits TO -15",
    "generic plans": "SET plan_cache_mode TO force_generic_plan",
    "no standard strings": "SET standard_conforming_strings TO off",
    "a path of others": "SET search_path TO nowhere",
    "no row security": "SET row_security TO off",
    "names in quotes": "SET quote_all_identifiers TO on",
    "assignments checked": "LOAD 'plpgsql'; SET plpgsql.extra_errors TO 'all'",
    "abbreviations of others": "SET timezone_abbreviations TO 'Australia'",
    "arrays without NULL": "SET array_nulls TO off",
    "plans of other shapes": "SET enable_hashagg TO off; SET enable_nestloop TO off",
}
REPORTS = (
    "SELECT bucket_start AT TIME ZONE 'UTC', value::numeric, count FROM rollup.timeseries("
    "1, 'avg_resolution_time', NULL, NULL, '2026-03-07 13:00+00', '2026-03-11 02:00+00', 'day')",
    "SELECT bucket_start AT TIME ZONE 'UTC', value::numeric, count FROM rollup.timeseries("
    "2, 'bot_handoffs_count', NULL, NULL, '2026-02-07 13:00+00', '2026-04-11 02:00+00', 'week')",
    "SELECT dimension_id, resolved_conversations_count FROM rollup.summary("
    "1, 'agent', '2026-03-07 13:00+00', '2026-03-11 02:00+00')",
    "SELECT rollup.aggregate("
    "3, 'reply_time', NULL, NULL, '2026-03-07 13:00+00', '2026-03-11 02:00+00')::numeric",
)


def answers(session: Session) -> list[list[tuple[Any, ...]]]:
    """Ask all reports, and read the answers in a session that has set nothing else but how."""
    return [session.execute(report.encode()).fetchall() for report in REPORTS]


@pytest.mark.parametrize("type_", ["timestamp", "timestamptz"])
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_no_setting_changes_a_number(
    setting: str, type_: str, reference_database: str, connect: Connect
) -> None:
    plain = connect(reference_database)
    if type_ == "timestamptz":
        plain.execute("ALTER TABLE public.reporting_events ALTER created_at TYPE timestamptz")
    deploy(reference_database, ZONED if type_ == "timestamptz" else load())
    mix(desk(plain))
    plain.execute("UPDATE rollup.accounts SET reads_enabled = true")
    odd = connect(reference_database)
    odd.execute(setting)
    expected = answers(plain)
    found = answers(odd)
    assert [sorted(map(str, one)) for one in found] == [sorted(map(str, one)) for one in expected]
    mix(odd, 50)
    write(odd, created_at="2026-03-09 23:59:59.999999+00")
    odd.execute("UPDATE public.reporting_events SET value = value + 1 WHERE account_id = 1")
    odd.execute("DELETE FROM public.reporting_events WHERE account_id = 2")
    assert odd.execute("SELECT count(*) FROM rollup.drift()").fetchone() == (0,)
    for account in (1, 3):  # the totals of 2 are zeros, which a rebuild removes
        for day in ("2026-03-07", "2026-03-08", "2026-03-09", "2026-03-10"):
            [changed] = odd.execute(
                "SELECT rollup.rebuild(%s, %s::date, %s::date + 1)", (account, day, day)
            ).fetchone() or (None,)
            assert changed == 0
    if type_ == "timestamp":  # the oracle knows no other
        assert_exact(plain)
    odd.execute("UPDATE rollup.accounts SET covered = '{}'")
    odd.execute("CALL rollup.backfill()")
    assert odd.execute("SELECT count(*) FROM rollup.verify_sample(20)").fetchone() == (0,)
    before = plain.execute("SELECT sum(r.count) FROM rollup.current_rollups r").fetchone()
    odd.execute("CALL rollup.purge_events('2026-03-08')")
    assert plain.execute("SELECT sum(r.count) FROM rollup.current_rollups r").fetchone() == before
    odd.execute("TRUNCATE public.reporting_events")
    assert odd.execute("SELECT count(*) FROM rollup.drift()").fetchone() == (0,)
