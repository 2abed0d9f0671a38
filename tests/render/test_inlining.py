"""Functions that say "Inlined" are: plans show their queries, and conditions reach indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.registry import load
from generator.render.objects import render
from tests.support.events import desk, mix

if TYPE_CHECKING:
    from tests.support.databases import Connect

pytestmark = pytest.mark.every_version

EVENTS = "ARRAY [ROW(1, 1, 'reply_time', now(), 2, 3, 4, 5, 6)::rollup.event]"
TRUTH = "ARRAY [1]::bigint[], '2026-03-01', '2026-03-08', NULL, NULL, NULL, false"
CALLS = {
    "rollup.source_events": "ARRAY [1]::bigint[], '2026-03-01', '2026-03-08', ARRAY ['reply_time']",
    "rollup.events_near": "ARRAY [1]::bigint[], '2026-03-01', '2026-03-08', ARRAY ['reply_time']",
    "rollup.countable_events": "ARRAY [1]::bigint[], '2026-03-01', '2026-03-08', NULL, true",
    "rollup.totals_of": EVENTS,
    "rollup.members_of": EVENTS,
    "rollup.truth_totals": TRUTH,
    "rollup.truth_members": TRUTH,
    "rollup.recorded_totals": "ARRAY [1]::bigint[], '2026-03-01', '2026-03-08', NULL, NULL",
    "rollup.recorded_members": "ARRAY [1]::bigint[], '2026-03-01', '2026-03-08', NULL, NULL",
    "rollup.report_events": "NULL::rollup.report_request, 'reply_time'",
}


def plan(name: str, database: str, connect: Connect) -> list[str]:
    session: Any = connect(database)
    session.execute("SET enable_seqscan TO off")
    rows = session.execute(f"EXPLAIN (COSTS off) SELECT * FROM {name}({CALLS[name]})").fetchall()
    return [line for (line,) in rows]


def test_every_function_that_says_so_is_called_here() -> None:
    inlined = {one.name for one in render(load()) if "Inlined" in one.text}
    assert inlined == CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_plan_holds_the_query_of_the_function(name: str, database: str, connect: Connect) -> None:
    lines = plan(name, database, connect)
    short = name.removeprefix("rollup.")
    assert [line for line in lines if f"Function Scan on {short}" in line] == []


def test_conditions_reach_the_indexes_of_the_source_table(database: str, connect: Connect) -> None:
    session = desk(connect(database))
    mix(session, 3000)
    session.execute("ANALYZE public.reporting_events")
    lines = plan("rollup.source_events", database, connect)
    conditions = [line for line in lines if "Index Cond" in line]
    assert conditions
    assert "(created_at >= " in conditions[0]
    assert not [line for line in lines if "Seq Scan" in line]
