"""Planning a deployment: it tells what deploy then does, changes nothing and blocks no session."""

from __future__ import annotations

import dataclasses
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from generator.cli.plan_output import grouped
from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.deploy.plan import Change, Plan, diff, plan
from generator.errors import DatabaseError
from generator.registry import DEFAULT, load
from generator.render.objects import render
from tests.support.command import fail, plain_lines, run, succeed, terminal
from tests.support.events import desk, write
from tests.support.layouts import APRIL, COLUMNS, KEY, PARTITIONED, ROWS

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()
FEWER = dataclasses.replace(REGISTRY, events=REGISTRY.events[1:], reports=REGISTRY.reports[2:])
"""What counts less, and has no objects that the other lacks."""

PATIENCE = Patience(lock_timeout=0.25, attempts=4)
ADDITION = """
[events.conversation_reopened]
reopened_count = { kind = "count" }
"""
LIMIT = 20.0  # seconds, after which a test has failed

OTHERS_FUNCTION = (
    "CREATE OR REPLACE FUNCTION rollup.require_day(day date) RETURNS void"
    " LANGUAGE plpgsql AS 'BEGIN END'"
)

CATALOG = """
SELECT 'schema', n.oid, n.xmin::text FROM pg_namespace n
UNION ALL
SELECT 'relation', c.oid, c.xmin::text FROM pg_class c WHERE c.oid > 16383
UNION ALL
SELECT 'column', a.attrelid, a.xmin::text FROM pg_attribute a WHERE a.attrelid > 16383
UNION ALL
SELECT 'function', p.oid, p.xmin::text FROM pg_proc p WHERE p.oid > 16383
UNION ALL
SELECT 'trigger', t.oid, t.xmin::text FROM pg_trigger t
ORDER BY 1, 2, 3
"""

LOCKS = """
SELECT DISTINCT l.mode
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE a.datname = current_database()
AND a.application_name = 'reporting-rollups'
AND l.locktype <> 'virtualxid'
AND cardinality(pg_blocking_pids(a.pid)) > 0
"""


def planned(dsn: str) -> Plan:
    return plan(dsn, REGISTRY, PATIENCE)


def described(found: Plan) -> tuple[str, ...]:
    """Put a plan's changes into the words in which a deployment tells of them."""
    return tuple(
        f"{one.action} {one.kind} {one.name}" + (f" on {one.table}" if one.table else "")
        for one in found.listed
        if one.kind != "migration"
    )


@pytest.mark.parametrize(
    "state", ["nothing", "an adopted table", "another registry", "partitions", "all"]
)
def test_what_is_planned_is_what_deploy_does_and_planning_changes_nothing(
    state: str, reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    if state == "an adopted table":
        session.execute(COLUMNS + KEY + ROWS)
    if state == "partitions":
        session.execute(PARTITIONED)
    if state in ("another registry", "all"):
        deploy(reference_database, FEWER if state == "another registry" else REGISTRY)
    before = session.execute(CATALOG).fetchall()
    found = planned(reference_database)
    assert planned(reference_database) == found
    assert session.execute(CATALOG).fetchall() == before
    done = deploy(reference_database, REGISTRY)
    assert described(found) == done.changes
    assert found.migrations == done.migrations
    assert found.is_nothing == (state == "all")
    assert planned(reference_database).is_nothing


def test_a_first_plan_lists_all_that_is_rendered(reference_database: str) -> None:
    found = planned(reference_database)
    rendered = {(one.kind, one.name, one.table) for one in render(REGISTRY)}
    made = {(one.kind, one.name, one.table) for one in found.listed if one.action == "create"}
    assert made == rendered
    assert found.listed[0] == Change(action="apply", kind="migration", name="0001.rollup-schema")
    assert found.warnings == ()
    assert [wait.lock.relations for wait in found.waits] == [
        ("public.reporting_events",),
        ("public.accounts",),
    ]
    assert found.incomplete
    assert found.incomplete.reasons == ("nothing has been counted so far",)


def test_a_migration_that_yoyo_has_not_marked_is_pending(database: str, connect: Connect) -> None:
    connect(database).execute("DELETE FROM rollup._yoyo_migration")
    known = planned(database).migrations
    assert known[0] == "0001.rollup-schema"
    assert deploy(database, REGISTRY).migrations == known
    assert planned(database).is_nothing


def test_what_a_table_lacks_is_named(database: str, connect: Connect) -> None:
    session = connect(database)
    session.execute("ALTER TABLE rollup.pending_events DROP COLUMN agent CASCADE")
    session.execute("ALTER TABLE public.reporting_events_rollups ALTER count DROP DEFAULT")
    tables = [one for one in planned(database).listed if one.kind == "table"]
    assert [(one.action, one.name, one.remark) for one in tables] == [
        ("complete", "public.reporting_events_rollups", "defaults of count"),
        ("complete", "rollup.pending_events", "columns agent"),
    ]
    deploy(database, REGISTRY)
    assert planned(database).is_nothing


def test_sessions_that_hold_a_lock_are_named_and_not_waited_for(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    writer = connect(database, autocommit=False)
    write(writer)
    [wait] = [one for one in planned(database).waits if one.holders]
    assert wait.lock.mode == "SHARE ROW EXCLUSIVE"
    assert wait.lock.relations == ("public.reporting_events",)
    assert f"process {writer.info.backend_pid} " in wait.holders[0]
    write(writer)
    writer.rollback()
    assert not [one for one in planned(database).waits if one.holders]


def test_planning_takes_no_lock_that_holds_up_a_writer(
    reference_database: str, connect: Connect
) -> None:
    """It is made to wait where it looks into the table that it is to adopt, at its end."""
    session = connect(reference_database)
    session.execute(COLUMNS + KEY + ROWS)
    holder = connect(reference_database, autocommit=False)
    holder.execute("LOCK TABLE public.reporting_events_rollups")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(plan, reference_database, REGISTRY, Patience(lock_timeout=LIMIT))
        deadline = time.monotonic() + LIMIT
        while not (modes := session.execute(LOCKS).fetchall()):
            assert time.monotonic() < deadline, "it does not wait"
        write(session)
        holder.rollback()
        assert future.result(LIMIT).listed
    assert modes == [("AccessShareLock",)]


def test_a_table_that_is_locked_is_not_waited_for_without_end(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(COLUMNS + KEY + ROWS)
    with session.transaction():
        session.execute("LOCK TABLE public.reporting_events_rollups")
        said = fail("plan", "--lock-timeout", "0.05", on=reference_database)
    assert "lock timeout" in said
    assert "hint: " in said


def test_nothing_to_do_is_exit_code_0_and_something_is_2(database: str, connect: Connect) -> None:
    assert succeed("plan", on=database) == "nothing to do: all is up to date\n"
    connect(database).execute("DROP FUNCTION rollup.rebuild")
    done = run("plan", on=database)
    assert done.exit_code == 2
    assert "create  function  rollup.rebuild" in done.stdout
    assert done.stdout.endswith("1 to create: python -m generator deploy\n")


def test_a_registry_of_which_nothing_differs_but_itself_is_to_be_written_down(
    database: str, connect: Connect
) -> None:
    connect(database).execute("UPDATE rollup.deployments SET registry_digest = 'another'")
    done = run("plan", on=database)
    assert done.exit_code == 2
    assert f"write down  registry  {REGISTRY.digest[:12]}" in done.stdout
    deploy(database, REGISTRY)
    assert run("plan", on=database).exit_code == 0


def test_what_deploy_would_refuse_is_the_same_error(empty_database: str) -> None:
    assert fail("plan", on=empty_database) == fail("deploy", on=empty_database)


def test_the_texts_of_what_is_replaced_are_compared(database: str, connect: Connect) -> None:
    session = connect(database)
    session.execute(OTHERS_FUNCTION)
    session.execute("ALTER TYPE rollup.chunk ADD ATTRIBUTE more text")
    session.execute(
        "CREATE OR REPLACE VIEW rollup.current_members AS"
        " SELECT * FROM rollup.distinct_members WHERE occurrences > 1"
    )
    said = run("plan", "--diff", on=database).stdout
    assert "--- function rollup.require_day (in the database)" in said
    assert "+++ function rollup.require_day (rendered)" in said
    assert "\n-AS $function$BEGIN END$function$\n" in said
    assert "\n-    more text\n" in said
    assert "--- view rollup.current_members (as the server prints it)" in said
    assert "\x1b" not in said
    assert "---" not in run("plan", on=database).stdout


def test_differences_are_coloured_on_a_terminal(database: str, connect: Connect) -> None:
    connect(database).execute(OTHERS_FUNCTION)
    with terminal("plan", "--diff", on=database) as screen:
        assert screen.end() == 2
    assert "\x1b[31m-AS $function$BEGIN END$function$" in screen.shown
    assert "\x1b[32m+AS $function$" in screen.shown


def test_a_plan_is_json_for_programs(database: str, connect: Connect) -> None:
    session = desk(connect(database))
    session.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    session.execute(OTHERS_FUNCTION)
    done = run("plan", "--json", "--diff", "--lock-timeout", "0.2", "--attempts", "7", on=database)
    found = json.loads(done.stdout)
    assert done.exit_code == 2
    assert found["is_current"] is False
    assert [(one["action"], one["name"], one["table"]) for one in found["changes"]] == [
        ("replace", "rollup.require_day", None),
        ("enable", "rollup_after_insert", "public.reporting_events"),
    ]
    assert "BEGIN END" in found["diffs"]["function rollup.require_day"]
    assert (found["lock_timeout"], found["attempts"]) == (0.2, 7)
    assert {one["mode"] for one in found["locks"]} == {"SLOTS", "SHARE ROW EXCLUSIVE", "ROWS"}
    assert found["uncovered"]["accounts"] == 3
    assert found["uncovered"]["metrics"] == [metric.name for metric in REGISTRY.metrics]
    assert len(found["warnings"]) == 1
    assert json.loads(run("plan", "--json", on=database).stdout)["diffs"] == {}


def test_a_plan_says_first_what_it_means_and_names_objects_after_that(
    database: str, connect: Connect
) -> None:
    desk(connect(database))
    deploy(database, FEWER)
    done = run("plan", on=database)
    first, second, *others = done.stdout.splitlines()
    assert first == "adds metric resolutions_count, metric resolution_time"
    assert second.startswith("not covered until `backfill`: metric resolutions_count, metric")
    assert not any(line.startswith(("---", "+++", "@@")) for line in others)
    listed = [one.name for one in planned(database).listed]
    assert all(any(name in line for line in others) for name in listed)
    found = json.loads(run("plan", "--json", on=database).stdout)
    assert found["meaning"] == [first, second]


@pytest.mark.parametrize("added", ["two metrics", "the metric of the README"])
def test_a_plan_for_a_new_metric_fits_a_terminal_of_80_columns_and_24_lines(
    added: str, database: str, connect: Connect, tmp_path: Path
) -> None:
    desk(connect(database))
    path = tmp_path / "registry.toml"
    path.write_text(DEFAULT.read_text())
    if added == "two metrics":
        deploy(database, FEWER)
    else:
        path.write_text(f"{DEFAULT.read_text()}\n{ADDITION}")
    found = plan(database, load(path), PATIENCE)
    with terminal("plan", "--registry", str(path), on=database, columns=80) as screen:
        assert screen.end() == 2
    lines = plain_lines(screen.shown)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    words = {word.rstrip(",;") for line in lines for word in line.split()}
    assert {one.name.rpartition(".")[2] for one in found.listed} <= words


def test_objects_are_grouped_by_what_is_done_their_kind_and_their_schema() -> None:
    changes = [
        Change(action="apply", kind="migration", name="0001.rollup-schema"),
        *(Change(action="create", kind="function", name=f"rollup.{name}") for name in "ab"),
        Change(action="create", kind="function", name='"a.b".c'),
        Change(action="replace", kind="view", name="rollup.d", remark="dropped first"),
        *(
            Change(action="create", kind="trigger", name=name, table=table)
            for table in ("public.one", "public.two")
            for name in ("e", "f")
        ),
        Change(action="create", kind="trigger", name="g", table="public.three"),
    ]
    assert list(grouped(changes)) == [
        "apply migration: 0001.rollup-schema",
        "create 2 functions in rollup: a, b",
        'create function in "a.b": c',
        "replace view in rollup: d (dropped first)",
        "create 5 triggers: e, f on public.one, public.two; g on public.three",
    ]


def test_a_plan_tells_what_is_counted_otherwise_and_that_nothing_is(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute("DROP FUNCTION rollup.rebuild")
    said = run("plan", on=database).stdout
    assert said.startswith("counts the same as before\nno day loses coverage")
    session.execute(
        "UPDATE rollup.deployments SET counting ="
        " jsonb_set(counting, '{metrics, resolutions_count}', '\"another\"')"
    )
    said = run("plan", on=database).stdout
    assert said.startswith("counts otherwise than before: metric resolutions_count\n")


def test_a_first_plan_says_so(reference_database: str) -> None:
    said = run("plan", on=reference_database).stdout
    assert said.startswith(f"first deployment: counts {len(REGISTRY.metrics)} metrics in ")


def test_days_that_stay_covered_are_not_called_uncovered(database: str, connect: Connect) -> None:
    session = desk(connect(database))
    session.execute("DROP VIEW rollup.status")
    assert planned(database).incomplete is None
    session.execute("ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert")
    found = planned(database).incomplete
    assert found
    assert found.accounts == 3
    assert deploy(database, REGISTRY).coverage_voided


def test_what_a_registry_gains_and_loses_is_told(database: str, connect: Connect) -> None:
    desk(connect(database))
    with_fewer = plan(database, FEWER, PATIENCE)
    assert with_fewer.incomplete is None
    assert with_fewer.changes.difference.gone == (
        "metric resolution_time",
        "metric resolutions_count",
    )
    deploy(database, FEWER)
    found = planned(database).incomplete
    assert found
    assert (found.metrics, found.dimensions) == (("resolutions_count", "resolution_time"), ())
    said = run("plan", on=database).stdout
    assert "not covered until `backfill`: metric resolutions_count, metric resolution_time" in said
    assert "no longer counted" not in said


def warnings(dsn: str) -> str:
    return "\n".join(planned(dsn).warnings)


def test_rows_of_a_table_to_be_adopted_are_warned_of(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(COLUMNS + KEY)
    assert warnings(reference_database) == ""
    session.execute(ROWS)
    assert "public.reporting_events_rollups has rows already" in warnings(reference_database)
    deploy(reference_database, REGISTRY)
    assert warnings(reference_database) == ""


def test_triggers_and_rules_of_others_on_the_rollup_table_are_refused(
    database: str, connect: Connect
) -> None:
    connect(database).execute(
        "CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';"
        'CREATE TRIGGER "To note" AFTER UPDATE ON public.reporting_events_rollups'
        " FOR EACH STATEMENT EXECUTE FUNCTION public.noted();"
        "CREATE RULE unseen AS ON DELETE TO public.reporting_events_rollups DO ALSO NOTHING"
    )
    with pytest.raises(DatabaseError, match=r'DROP RULE unseen ON .*\n.*DROP TRIGGER "To note" ON'):
        planned(database)


def test_events_that_have_to_be_read_whole_are_warned_of(database: str, connect: Connect) -> None:
    session = connect(database)
    assert warnings(database) == ""
    indexes = session.execute(
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_attribute a"
        " ON a.attrelid = i.indrelid AND a.attnum = i.indkey [0]"
        " WHERE i.indrelid = 'public.reporting_events'::regclass"
        " AND a.attname IN ('account_id', 'created_at')"
    ).fetchall()
    for (name,) in indexes:
        session.execute(f"DROP INDEX {name}")
    assert "public.reporting_events has no valid index" in warnings(database)
    session.execute("CREATE INDEX ON public.reporting_events (created_at) WHERE value > 0")
    session.execute("CREATE INDEX ON public.reporting_events (name, account_id)")
    assert "public.reporting_events has no valid index" in warnings(database)
    session.execute("CREATE INDEX ON public.reporting_events (created_at, name)")
    assert warnings(database) == ""


def test_partitions_without_triggers_are_warned_of(
    reference_database: str, connect: Connect
) -> None:
    session = connect(reference_database)
    session.execute(PARTITIONED)
    assert "straight on such a partition" not in warnings(reference_database)
    deploy(reference_database, REGISTRY)
    session.execute(APRIL)
    found = planned(reference_database)
    assert {one.table for one in found.listed} == {"public.april"}
    assert "straight on such a partition" not in "\n".join(found.warnings)  # none has been written
    session.execute(
        "INSERT INTO public.april (account_id, created_at, updated_at)"
        " VALUES (1, '2026-04-09', now())"
    )
    found = planned(reference_database)
    assert "public.april" in "\n".join(found.warnings)
    assert "its events have not been counted" in "\n".join(found.warnings)


def test_what_another_role_has_changed_is_warned_of(database: str, connect: Connect) -> None:
    session = connect(database)
    session.execute(OTHERS_FUNCTION)
    session.execute("DROP FUNCTION rollup.fold")
    assert warnings(database).startswith("function rollup.require_day is not as it was deployed")
    [replaced, _] = planned(database).listed
    assert replaced.remark == "changed by another role"


@pytest.mark.parametrize(
    ("change", "uses"),
    [
        ("CREATE FUNCTION rollup.own() RETURNS bigint LANGUAGE sql AS 'SELECT 1'", "rollup.own()"),
        (
            "DROP VIEW rollup.current_members;CREATE VIEW rollup.current_members AS SELECT 1 AS id",
            "id FROM rollup.current_members",
        ),
        (
            "DROP FUNCTION rollup.fold;"
            "CREATE FUNCTION rollup.fold(bigint) RETURNS text LANGUAGE sql AS 'SELECT 1'",
            "rollup.fold(1)",
        ),
    ],
    ids=["an orphan", "a view of other columns", "a function with another result"],
)
def test_what_depends_on_that_which_has_to_be_dropped_is_warned_of(
    change: str, uses: str, database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute(change)
    assert "public.dashboard" not in warnings(database)
    session.execute(f"CREATE VIEW public.dashboard AS SELECT {uses}")
    assert "public.dashboard depends on " in warnings(database)
    with pytest.raises(Exception, match="other objects depend on it"):
        deploy(database, REGISTRY)
    session.execute("DROP VIEW public.dashboard")
    deploy(database, REGISTRY)
    assert planned(database).is_nothing


def test_a_view_that_keeps_its_columns_may_be_used_by_others(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute(
        "CREATE OR REPLACE VIEW rollup.current_members AS"
        " SELECT * FROM rollup.distinct_members WHERE occurrences > 1"
    )
    session.execute("CREATE VIEW public.dashboard AS SELECT * FROM rollup.current_members")
    assert warnings(database) == ""
    deploy(database, REGISTRY)


def test_a_function_whose_signature_differs_is_dropped_first(
    database: str, connect: Connect
) -> None:
    session = connect(database)
    session.execute(
        "DROP FUNCTION rollup.set_timezone;"
        "CREATE FUNCTION rollup.set_timezone(a bigint, b text) RETURNS text"
        " LANGUAGE sql AS 'SELECT 1'"
    )
    [change] = planned(database).listed
    assert change.remark == "dropped first, grants on it as well; changed by another role"
    deploy(database, REGISTRY)
    assert planned(database).is_nothing


def test_a_function_that_gets_defaults_keeps_its_grants(database: str, connect: Connect) -> None:
    session = connect(database)
    session.execute(
        "DROP FUNCTION rollup.fold(bigint);"
        "CREATE FUNCTION rollup.fold(account_id bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1';"
        "GRANT EXECUTE ON FUNCTION rollup.fold TO pg_monitor;"
        "REVOKE EXECUTE ON FUNCTION rollup.fold FROM public"
    )
    deploy(database, REGISTRY)
    assert planned(database).is_nothing
    granted = "SELECT has_function_privilege('pg_monitor', 'rollup.fold(bigint)', 'EXECUTE')"
    assert session.execute(granted).fetchone() == (True,)


def test_nothing_is_compared_where_there_is_nothing_to_compare_with(
    reference_database: str,
) -> None:
    assert [diff(one) for one in planned(reference_database).changes.objects if diff(one)] == []
