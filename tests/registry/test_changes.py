"""A registry changes beside writers: what is new is backfilled alone, what goes leaves no trace."""

from __future__ import annotations

import random
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest

from generator.database.patience import Patience
from generator.deploy.deploy import deploy
from generator.deploy.plan import plan
from generator.operate import backfill
from generator.registry import DEFAULT, Registry, load, parse
from tests.support.command import succeed
from tests.support.events import HANDOFF, desk, mix, write
from tests.support.oracle import assert_exact
from tests.support.waiting import await_lock, await_slot_waiters, waiting
from tests.support.write_modes import APPENDING

if TYPE_CHECKING:
    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

pytestmark = pytest.mark.every_version

TEXT = DEFAULT.read_text()

FIRST = 'first_response = { kind = "duration" }'
FIRST_EVENT = f"[events.first_response]\n{FIRST}\n"
FIRST_REPORT = """[reports.avg_first_response_time]
aggregate = "average"
metric = "first_response"
summary = "avg_first_response_time"
"""
HANDOFFS = """[events.conversation_bot_handoff]
bot_handoffs_count = { kind = "count", distinct = "conversation_id" }
"""
HANDOFFS_REPORT = """[reports.bot_handoffs_count]
aggregate = "count"
metric = "bot_handoffs_count"
"""
EXCLUSION = 'exclude = "bot_handoffs_count"\n'
INBOX = ', inbox = "inbox_id"'
HOURS = ', value_in_business_hours = "value_in_business_hours"'
HOURS_SECTION = """[measures.value_in_business_hours]
sum = "sum_value_business_hours"
count = "business_hours_count"
business_hours = true       # the measure that a report reads when it is asked for business hours
"""

ALL_METRICS = tuple(sorted(f"metric {metric.name}" for metric in load().metrics))

UNLIKE = """
SELECT d.account_id, d.dimension_type, d.metric, d.date
FROM rollup.drift() d
LEFT JOIN rollup.metric_coverage c USING (account_id, dimension_type, metric)
WHERE c.covered IS NULL
OR c.covered @> d.date
"""

MISSING = """
SELECT DISTINCT
    c.dimension_type,
    c.metric
FROM rollup.metric_coverage c
WHERE c.covered <> '{(,)}'
"""

ROWS = """
SELECT r.ctid::text, r.xmin::text, r::text
FROM public.reporting_events_rollups r
WHERE r.metric <> %(metric)s
UNION ALL
SELECT n.ctid::text, n.xmin::text, n::text
FROM rollup.distinct_members n
WHERE n.metric <> %(metric)s
"""

LEFT = """
SELECT
    (SELECT count(*) FROM public.reporting_events_rollups r WHERE r.{0} = %(name)s)
    + (SELECT count(*) FROM rollup.distinct_members n WHERE n.{0} = %(name)s)
"""

AVERAGE = """
SELECT rollup.aggregate(
    1, 'avg_first_response_time', NULL, NULL, '2026-01-01 00:00+05:30', '2027-01-01 00:00+05:30'
)
"""

COVERED = "SELECT covered::text FROM rollup.coverage ORDER BY account_id"

GAPS = "SELECT count(*) FROM rollup.gaps"


def edited(*edits: tuple[str, str]) -> Registry:
    """Give the packaged registry with pieces of its text replaced."""
    text = TEXT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return parse(text, "registry.toml")


def named(value: str, hours: str) -> Registry:
    """Give the packaged registry with other names of its measures."""
    return edited(
        ('{ value = "value"', f'{{ {value} = "value"'),
        (", value_in_business_hours =", f", {hours} ="),
        ("[measures.value]", f"[measures.{value}.]"),
        ("[measures.value_in_business_hours]", f"[measures.{hours}]"),
        (f"[measures.{value}.]", f"[measures.{value}]"),
    )


FULL = edited()
RENAMED = {
    "renamed": named("time", "agent"),
    "swapped": named("value_in_business_hours", "value"),
    "one named like the other was": named("value_in_business_hours", "hours"),
}
INBOXES = 'inbox = "inbox_id"'
TAKEN = {
    "that of what is counted": edited((INBOXES, f'{INBOXES}, conversation_id = "inbox_id"')),
    "that of a measure": edited((INBOXES, f'{INBOXES}, value = "inbox_id"')),
    "that of a dimension, which gets another": edited(
        (INBOXES, f'{INBOXES}, channel = "user_id"'), ('agent = "user_id"', 'agent = "inbox_id"')
    ),
}
"""Registries in which a dimension takes the name of a column of pending events."""
NO_FIRST = edited((FIRST_EVENT, ""), (FIRST_REPORT, ""))
NO_INBOX = edited((INBOX, ""))


class Change(NamedTuple):
    """A registry, and what is incomplete when the packaged one is deployed after it."""

    other: Registry
    gained: tuple[str, ...]


CHANGES = {
    "a metric": Change(NO_FIRST, ("metric first_response",)),
    "a distinct metric": Change(
        edited((HANDOFFS, ""), (HANDOFFS_REPORT, ""), (EXCLUSION, "")),
        ("metric bot_handoffs_count", "metric bot_resolutions_count"),
    ),
    "an exclusion": Change(edited((EXCLUSION, "")), ("metric bot_resolutions_count",)),
    "a dimension": Change(NO_INBOX, ("dimension inbox",)),
    "a measure": Change(edited((HOURS, ""), (HOURS_SECTION, "")), ALL_METRICS),
    "a kind": Change(
        edited(
            (FIRST, 'first_response = { kind = "count" }'),
            (FIRST_REPORT, FIRST_REPORT.replace("average", "count")),
        ),
        ("metric first_response",),
    ),
    "an event": Change(
        edited(("[events.first_response]", "[events.conversation_opened]")),
        ("metric first_response",),
    ),
    "the column of a dimension": Change(
        edited((INBOX, INBOX.replace('"inbox_id', '"conversation_id'))), ("dimension inbox",)
    ),
    "both a metric and a dimension": Change(
        edited((FIRST_EVENT, ""), (FIRST_REPORT, ""), (INBOX, "")),
        ("dimension inbox", "metric first_response"),
    ),
}


def fill(dsn: str, *, size: int = 40, at_most: int | None = None) -> None:
    """Work off the chunks of a backfill, or some."""
    with psycopg.connect(dsn, autocommit=True) as session:
        chunks = backfill.plan(session, chunk_events=size)[:at_most]
    for done in backfill.run(dsn, chunks):
        assert not done.uncovered


def write_above_read_committed(connection: Session, **columns: Any) -> None:
    """Insert an event in a transaction that appends it to what is pending."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        write(connection, **columns)


@pytest.fixture
def session(database: str, connect: Connect) -> Session:
    """Connect to a desk with some events."""
    session = desk(connect(database))
    mix(session, 200)
    return session


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_what_is_new_is_incomplete_until_it_is_backfilled_alone(
    change: Change, session: Session, database: str
) -> None:
    deploy(database, change.other)
    fill(database)
    mix(session, 50)
    write_above_read_committed(session, inbox_id=9)
    assert session.execute(UNLIKE).fetchall() == []

    deployment = deploy(database, FULL)
    assert deployment.incomplete == change.gained
    assert not deployment.coverage_voided
    missing = {(kind, name) for kind, _, name in (one.partition(" ") for one in change.gained)}
    for dimension, metric in session.execute(MISSING):
        assert ("metric", metric) in missing or ("dimension", dimension) in missing
    mix(session, 50)
    write_above_read_committed(session, inbox_id=9)
    session.execute("UPDATE public.reporting_events SET value = value + 1 WHERE id % 3 = 0")
    session.execute("DELETE FROM public.reporting_events WHERE id % 5 = 0")
    assert session.execute(UNLIKE).fetchall() == []

    fill(database, at_most=3)
    assert session.execute(UNLIKE).fetchall() == []
    fill(database)
    assert session.execute(MISSING).fetchall() == []
    assert session.execute(GAPS).fetchone() == (0,)
    assert deploy(database, FULL).incomplete == ()
    assert_exact(session)
    session.execute("SELECT rollup.fold()")
    assert_exact(session)


@pytest.mark.parametrize("other", RENAMED.values(), ids=list(RENAMED))
def test_a_measure_may_have_another_name_while_events_are_pending(
    other: Registry, session: Session, database: str
) -> None:
    fill(database)
    for registry in (other, FULL):
        for minutes in (7, 11):
            write_above_read_committed(
                session, name="reply_time", value=minutes, value_in_business_hours=1
            )
        assert "convert" in {one.action for one in plan(database, registry, Patience()).listed}
        deployment = deploy(database, registry)
        assert not deployment.coverage_voided
        assert deployment.incomplete == ()
        assert plan(database, registry, Patience()).is_nothing
        assert session.execute("SELECT count(*) FROM rollup.pending_events").fetchone() == (2,)
        assert_exact(session)
        session.execute("SELECT rollup.fold()")
        assert_exact(session)


@pytest.mark.parametrize("other", TAKEN.values(), ids=list(TAKEN))
def test_a_dimension_that_takes_a_name_of_pending_events_takes_no_value_with_it(
    other: Registry, session: Session, database: str
) -> None:
    fill(database)
    for registry in (other, FULL):
        for name in ("reply_time", HANDOFF):
            write_above_read_committed(session, name=name, conversation_id=1234)
        assert not deploy(database, registry).coverage_voided
        session.execute("SELECT rollup.fold()")
        wrong = session.execute("SELECT d.dimension_type FROM rollup.drift() d").fetchall()
        assert {one for [one] in wrong} <= {"agent", "channel", "conversation_id", "value"}
        fill(database)
        assert session.execute("SELECT FROM rollup.drift()").fetchall() == []


def test_the_backfill_of_a_metric_touches_no_row_of_another(
    session: Session, database: str
) -> None:
    deploy(database, NO_FIRST)
    deploy(database, FULL, delete_removed=True)
    write_above_read_committed(session, name="reply_time")
    write_above_read_committed(session)
    before = session.execute(ROWS, {"metric": "first_response"}).fetchall()
    fill(database)
    assert session.execute(ROWS, {"metric": "first_response"}).fetchall() == before
    assert_exact(session)


def test_status_names_what_is_new_and_not_yet_complete(session: Session, database: str) -> None:
    deploy(database, NO_FIRST)
    deploy(database, FULL)
    said = succeed("status", on=database)
    assert "incomplete until they are backfilled: metric first_response" in said
    assert said.count("covered but for what is new") == 3
    fill(database)
    assert "incomplete" not in succeed("status", "--exit-code", on=database)


def test_a_rebuild_completes_what_is_new_too(session: Session, database: str) -> None:
    deploy(database, NO_FIRST)
    deploy(database, FULL)
    session.execute("SELECT rollup.rebuild(1)")
    assert session.execute(COVERED).fetchall() == [("{(,)}",), ("{}",), ("{}",)]
    session.execute("SELECT rollup.rebuild(2, '2026-03-10', '2026-03-12')")
    assert session.execute(COVERED).fetchall()[1] == ("{[2026-03-10,2026-03-12)}",)
    session.execute("CALL rollup.backfill()")
    assert session.execute(COVERED).fetchall() == [("{(,)}",)] * 3
    assert_exact(session)


def test_reports_of_what_is_new_read_raw_events_until_it_is_complete(
    session: Session, database: str
) -> None:
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    right = session.execute(AVERAGE).fetchone()
    deploy(database, NO_FIRST, delete_removed=True)
    deploy(database, FULL)
    assert session.execute(AVERAGE).fetchone() == right
    sources = f"SELECT DISTINCT source FROM {AVERAGE.replace('SELECT ', '').strip()}".replace(
        "rollup.aggregate", "rollup.explain_report"
    )
    assert session.execute(sources).fetchall() == [("raw events",)]
    others = sources.replace("avg_first_response_time", "reply_time")
    assert session.execute(others).fetchall() == [("rollups",)]
    fill(database)
    assert session.execute(AVERAGE).fetchone() == right
    assert session.execute(sources).fetchall() == [("rollups",)]


@pytest.mark.parametrize(
    ("other", "column", "name"),
    [(NO_FIRST, "metric", "first_response"), (NO_INBOX, "dimension_type", "inbox")],
)
def test_rows_of_what_is_gone_are_kept_until_they_are_to_be_deleted(
    other: Registry, column: str, name: str, session: Session, database: str
) -> None:
    left = LEFT.format(column)
    [before] = session.execute(left, {"name": name}).fetchone() or (0,)
    deployment = deploy(database, other)
    assert [one.split()[1] for one in deployment.retired] == [name]
    mix(session, 20)
    session.execute("SELECT rollup.rebuild()")
    assert session.execute("SELECT rollup.drift()").fetchall() == []
    assert session.execute(left, {"name": name}).fetchone() == (before,)
    assert deploy(database, other).retired == deployment.retired
    deleted = deploy(database, other, delete_removed=True)
    assert (deleted.rows_deleted, deleted.retired) == (before, ())
    assert session.execute(left, {"name": name}).fetchone() == (0,)
    assert session.execute("SELECT rollup.drift()").fetchall() == []


def test_what_has_been_gone_for_a_while_comes_back_exact(session: Session, database: str) -> None:
    deploy(database, NO_FIRST)
    mix(session, 30)
    session.execute("DELETE FROM public.reporting_events WHERE id % 4 = 0")
    back = deploy(database, FULL)
    assert (back.retired, back.incomplete) == ((), ("metric first_response",))
    fill(database)
    assert_exact(session)


def test_purged_days_never_have_what_came_after_them(session: Session, database: str) -> None:
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    deploy(database, NO_FIRST)
    session.execute("SELECT rollup.rebuild()")
    session.execute("CALL rollup.purge_events('2026-03-09', 1)")
    deploy(database, FULL)
    assert [chunk.account_ids for chunk in backfill.plan(session)] == [(1, 2, 3)]
    fill(database)
    assert backfill.plan(session) == []
    assert session.execute(COVERED).fetchall() == [("{(,)}",)] * 3
    assert session.execute("SELECT rollup.drift()").fetchall() == []
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
        session.execute(AVERAGE)
    assert refused.value.diag.message_detail == (
        "Before that, avg_first_response_time was not yet counted."
    )
    assert refused.value.diag.message_hint == "Ask for days from 2026-03-09 on."
    session.execute(AVERAGE.replace("2026-01-01 00:00+05:30", "2026-03-09 00:00+05:30"))
    session.execute(AVERAGE.replace("avg_first_response_time", "reply_time"))
    session.execute("CALL rollup.purge_events('2026-03-10', 1)")


def test_purged_days_without_rollups_are_refused_as_well(session: Session, database: str) -> None:
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    deploy(database, NO_FIRST)
    fill(database)
    session.execute("DELETE FROM public.reporting_events")
    write(session, name="first_response")
    session.execute("SELECT rollup.rebuild()")
    session.execute("CALL rollup.purge_events('2026-03-20', 1)")
    deploy(database, FULL, delete_removed=True)
    fill(database)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        session.execute(AVERAGE)


def test_purged_days_of_a_table_that_was_lost_are_not_called_zero(
    session: Session, database: str
) -> None:
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    session.execute("CALL rollup.purge_events('2026-03-09', 1)")
    session.execute("DROP TABLE public.reporting_events_rollups CASCADE")
    assert deploy(database, FULL).coverage_voided
    fill(database)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        session.execute(AVERAGE)
    session.execute(AVERAGE.replace("2026-01-01 00:00+05:30", "2026-03-09 00:00+05:30"))


def test_a_table_of_the_users_that_is_called_like_ours_is_lost_like_any_other(
    session: Session, database: str
) -> None:
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    named = edited(('table = "reporting_events_rollups"', 'table = "pending_events"'))
    deploy(database, named)
    fill(database)
    session.execute("CALL rollup.purge_events('2026-03-09', 1)")
    session.execute("DROP TABLE public.pending_events CASCADE")
    deploy(database, named)
    fill(database)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        session.execute(AVERAGE)


def test_a_measure_that_comes_back_finds_nothing_old(session: Session, database: str) -> None:
    other_kind = (FIRST, 'first_response = { kind = "count" }')
    other_report = (FIRST_REPORT, FIRST_REPORT.replace("average", "count"))
    deploy(database, edited(other_kind, other_report, (HOURS, ""), (HOURS_SECTION, "")))
    fill(database)
    deploy(database, edited(other_kind, other_report))
    assert session.execute(UNLIKE).fetchall() == []
    fill(database)
    assert session.execute("SELECT rollup.drift()").fetchall() == []


def test_totals_of_purged_days_are_deleted_only_when_that_is_said(
    session: Session, database: str
) -> None:
    session.execute("CALL rollup.purge_events('2026-03-09', 1)")
    kept = (
        "SELECT count(*) FROM public.reporting_events_rollups r WHERE r.metric = 'first_response'"
    )
    purged = f"{kept} AND r.account_id = 1 AND r.date < '2026-03-09'"
    before = session.execute(purged).fetchone()
    deployment = deploy(database, NO_FIRST, delete_removed=True)
    assert session.execute(kept).fetchone() == session.execute(purged).fetchone() == before
    assert before != (0,)
    assert deployment.retired == ("metric first_response",)
    assert deploy(database, NO_FIRST, delete_removed=True, even_purged=True).retired == ()
    assert session.execute(kept).fetchone() == (0,)


def test_a_snapshot_older_than_a_deployment_reads_raw_events(
    session: Session, database: str, connect: Connect
) -> None:
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    deploy(database, NO_FIRST, delete_removed=True)
    reader = connect(database)
    with reader.transaction():
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT FROM public.accounts")
        deploy(database, FULL)
        covered = "SELECT DISTINCT c.covered::text FROM rollup.metric_coverage c"
        assert reader.execute(covered).fetchall() == [("{}",)]
        found = []
        for reads in ("on", "off"):
            reader.execute("SELECT set_config('rollup.reads', %s, true)", (reads,))
            found.append(reader.execute(AVERAGE).fetchone())
        assert found[0] == found[1]
        assert found[0] != (None,)


def test_a_report_that_waits_for_a_deployment_mixes_no_two_registries(
    session: Session, database: str, connect: Connect
) -> None:
    session.execute("UPDATE rollup.accounts SET reads_enabled = true")
    report = (
        "SELECT array_agg(t.value ORDER BY t.bucket_start) FROM rollup.timeseries("
        "1, 'reply_time', 'inbox', {}, '2026-03-08 03:00+00', '2026-03-12 09:00+00') t"
    )
    reports = [report.format(inbox) for inbox in (1, 2, 3, 4, 5)]
    reader, writer = connect(database), connect(database, autocommit=False)
    before = [reader.execute(one).fetchone() for one in reports]
    writer.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    write(writer)
    with ThreadPoolExecutor(1) as executor:
        deployed = executor.submit(
            deploy,
            database,
            CHANGES["the column of a dimension"].other,
            patience=Patience(lock_timeout=20, attempts=1),
        )
        await_lock(session, "public.reporting_events", "ShareRowExclusiveLock")
        with waiting(session, reader, " UNION ALL ".join(reports)) as answer:
            writer.rollback()
            deployed.result()
        answers = answer.result()
    after = [reader.execute(one).fetchone() for one in reports]
    assert after != before
    assert all(one in pair for one, *pair in zip(answers, before, after, strict=True))
    reader.execute("SET rollup.reads = 'off'")
    assert [reader.execute(one).fetchone() for one in reports] == after


def test_a_writer_that_looked_at_what_is_pending_and_appends_is_not_in_a_deadlock_with_a_new_column(
    session: Session, database: str, connect: Connect
) -> None:
    deploy(database, NO_INBOX)
    session.execute("ALTER TABLE rollup.pending_events DROP COLUMN inbox CASCADE")
    writer, holder = connect(database, autocommit=False), connect(database, autocommit=False)
    holder.execute("SELECT rollup.lock_record(ARRAY [1::bigint])")
    writer.execute("SELECT FROM rollup.pending_events")
    with ThreadPoolExecutor(1) as executor:
        deployed = executor.submit(
            deploy, database, FULL, patience=Patience(lock_timeout=20, attempts=1)
        )
        await_lock(session, "rollup.pending_events", "AccessExclusiveLock")
        writer.execute("SET lock_timeout = '5s'")
        write(writer, account_id=1, name="reply_time")
        holder.rollback()
        writer.commit()
        deployed.result()
    fill(database)
    assert_exact(session)


@pytest.mark.parametrize(
    "statement",
    ["TRUNCATE public.reporting_events", "ALTER TABLE public.reporting_events ADD x int"],
)
def test_a_writer_that_wants_the_whole_table_is_not_in_a_deadlock_with_a_deployment(
    statement: str, session: Session, database: str, connect: Connect
) -> None:
    writer = connect(database, autocommit=False)
    writer.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    write(writer)
    with ThreadPoolExecutor(1) as executor:
        deployed = executor.submit(
            deploy, database, NO_FIRST, patience=Patience(lock_timeout=20, attempts=1)
        )
        await_lock(session, "public.reporting_events", "ShareRowExclusiveLock")
        writer.execute(statement)
        writer.commit()
        deployed.result()
    fill(database)
    assert session.execute("SELECT rollup.drift()").fetchall() == []


def test_a_column_that_was_dropped_by_hand_is_no_new_measure(
    session: Session, database: str
) -> None:
    session.execute("DROP VIEW rollup.current_rollups, rollup.unsummed_totals")
    session.execute("ALTER TABLE public.reporting_events_rollups DROP COLUMN value_count")
    assert deploy(database, NO_INBOX).coverage_voided
    fill(database)
    assert session.execute("SELECT rollup.drift()").fetchall() == []


def test_a_renamed_table_of_events_is_followed(session: Session, database: str) -> None:
    session.execute("ALTER TABLE public.reporting_events RENAME TO happenings")
    renamed = edited(("[sources.reporting_events]", "[sources.happenings]"))
    deployment = deploy(database, renamed)
    assert deployment.coverage_voided
    assert [change for change in deployment.changes if change.startswith("drop function")] == [
        f"drop function rollup.reporting_events_after_{verb}"
        for verb in ("delete", "insert", "truncate", "update")
    ]
    session.execute(
        "INSERT INTO public.happenings (name, value, account_id, created_at, updated_at)"
        " VALUES ('reply_time', 5, 1, '2026-03-10', now())"
    )
    fill(database)
    assert session.execute("SELECT rollup.drift()").fetchall() == []


def test_a_rebuild_that_waited_while_a_registry_was_deployed_does_not_count_by_the_old_one(
    session: Session, database: str, connect: Connect
) -> None:
    deploy(database, NO_FIRST)
    writer, rebuilder = connect(database, autocommit=False), connect(database)
    rebuilder.execute("SELECT rollup.rebuild(1)")
    write(writer, account_id=1, name="reply_time")
    with waiting(session, rebuilder, "SELECT rollup.rebuild(1)") as rebuilt:
        with ThreadPoolExecutor(1) as executor:
            deployed = executor.submit(
                deploy, database, FULL, patience=Patience(lock_timeout=20, attempts=1)
            )
            await_slot_waiters(session, 2)
            writer.commit()
            deployed.result()
        outcome = rebuilt.exception(20)
    if outcome is not None:
        assert "another registry" in str(outcome)
    mix(session, 30)
    assert session.execute(UNLIKE).fetchall() == []
    fill(database)
    assert_exact(session)


def test_an_old_text_that_is_still_running_folds_nothing(session: Session, database: str) -> None:
    deploy(database, NO_FIRST)
    write_above_read_committed(session, name="first_response")
    [old] = session.execute("SELECT pg_get_functiondef('rollup.fold'::regproc)").fetchone() or ("",)
    deploy(database, FULL)
    fill(database)
    session.execute(old)
    assert session.execute("SELECT rollup.fold()").fetchone() == (0,)
    [old] = session.execute("SELECT pg_get_functiondef('rollup.rebuild'::regproc)").fetchone() or (
        "",
    )
    session.execute(old.replace(FULL.counting.digest, NO_FIRST.counting.digest))
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="another registry"):
        session.execute("SELECT rollup.rebuild(1)")
    deploy(database, FULL)
    fill(database)
    assert_exact(session)


def test_whatever_registries_follow_each_other_nothing_claimed_is_wrong(
    session: Session, database: str
) -> None:
    seed = secrets.token_hex(4)
    print(f"seed: {seed}")
    chance = random.Random(seed)
    others = (change.other for change in CHANGES.values())
    registries = [FULL, APPENDING, *others, *RENAMED.values()]
    for step in range(40):
        match chance.randrange(8):
            case 0 | 1:
                delete = chance.random() < 0.3
                deploy(database, chance.choice(registries), delete_removed=delete)
            case 2:
                fill(database, size=chance.choice([5, 40, 10_000]), at_most=chance.choice([1, 4]))
            case 3:
                mix(session, chance.randint(1, 60))
            case 4:
                for _ in range(chance.randint(1, 5)):
                    write_above_read_committed(
                        session,
                        name=chance.choice(["first_response", "conversation_bot_handoff"]),
                        created_at=date(2026, 3, chance.randint(7, 14)),
                        conversation_id=chance.randint(1, 3),
                    )
            case 5:
                session.execute(
                    "DELETE FROM public.reporting_events WHERE id %% 7 = %s", (step % 7,)
                )
            case 6:
                session.execute(
                    "UPDATE public.reporting_events SET value = value + 1, inbox_id = 4"
                    " WHERE id %% 5 = %s",
                    (step % 5,),
                )
            case 7:
                session.execute(
                    chance.choice(
                        ["SELECT rollup.fold()", "SELECT rollup.rebuild(2, '2026-03-09')"]
                    )
                )
        assert session.execute(UNLIKE).fetchall() == [], step
    deploy(database, FULL)
    fill(database)
    assert_exact(session)
