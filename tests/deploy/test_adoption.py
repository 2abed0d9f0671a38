"""A rollup table that is there already: adopted with its rows, or refused before any change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.deploy.requirements import problems
from generator.errors import DatabaseError
from generator.operate.status import inspect
from generator.registry import load
from tests.support.events import HANDOFF, desk, mix, write
from tests.support.layouts import COLUMNS, KEY, OTHER_INDEXES, ROWS
from tests.support.oracle import assert_exact, differences

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()

CATALOG = """
SELECT c.relnamespace::regnamespace, c.relname, c.relkind, a.attname, a.atttypid::regtype,
    a.attnotnull, pg_get_expr(d.adbin, d.adrelid), c.reltriggers
FROM (SELECT *, relhastriggers AS reltriggers FROM pg_class) c
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2, 4
"""

KEPT = "SELECT * FROM public.reporting_events_rollups r ORDER BY r.id"

DAYS_OF_AN_ACCOUNT = """
EXPLAIN (COSTS OFF)
SELECT r.date, r.count
FROM rollup.current_rollups r
WHERE r.account_id = 1
AND r.dimension_type = 'account'
AND r.metric = 'resolution_time'
AND r.date BETWEEN '2026-03-01' AND '2026-03-10'
"""

INDEXES = """
SELECT i.indexdef
FROM pg_indexes i
WHERE i.tablename = 'reporting_events_rollups'
ORDER BY i.indexname
"""


def assert_refused(session: Session, dsn: str, message: str) -> None:
    """Check that a deployment says what is wrong, and leaves no trace."""
    before = session.execute(CATALOG).fetchall()
    with pytest.raises(DatabaseError, match=message) as error:
        deploy(dsn, REGISTRY)
    assert "nothing has been changed" in (error.value.hint or "")
    assert session.execute(CATALOG).fetchall() == before
    assert session.execute("SELECT to_regnamespace('rollup')").fetchone() == (None,)


@pytest.fixture
def session(reference_database: str, connect: Connect) -> Session:
    return connect(reference_database)


def test_the_table_of_the_reference_keeps_its_rows_ids_and_indexes(
    session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + KEY + OTHER_INDEXES + ROWS)
    before = session.execute(KEPT).fetchall()
    indexes = session.execute(INDEXES).fetchall()
    deploy(reference_database, REGISTRY)
    after = session.execute(KEPT).fetchall()
    assert [row[: len(before[0])] for row in after] == before
    assert session.execute(INDEXES).fetchall() == indexes
    assert len(indexes) == 4
    assert inspect(session, REGISTRY).is_current
    assert deploy(reference_database, REGISTRY).changes == ()


def test_an_adopted_table_is_exact_after_a_backfill_and_stays_so(
    session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + KEY + OTHER_INDEXES + ROWS)
    mix(session)
    deploy(reference_database, REGISTRY)
    for account, zone in ((1, "Asia/Kolkata"), (2, "America/New_York"), (3, "Europe/Rome")):
        session.execute("SELECT rollup.set_timezone(%s, %s)", (account, zone))
    assert differences(session)
    assert not differences(session, covered=True)
    session.execute("CALL rollup.backfill()")
    assert_exact(session)
    mix(session)
    write(session, value=None)
    session.execute("UPDATE public.reporting_events SET value = value + 1 WHERE id % 3 = 0")
    session.execute("DELETE FROM public.reporting_events WHERE id % 5 = 0")
    assert_exact(session)
    session.execute("TRUNCATE public.reporting_events")
    assert_exact(session)


@pytest.mark.parametrize("table", ["", COLUMNS + KEY + OTHER_INDEXES], ids=["ours", "adopted"])
def test_conditions_on_the_view_reach_the_indexes_of_the_table(
    table: str, session: Session, reference_database: str
) -> None:
    session.execute(table)
    deploy(reference_database, REGISTRY)
    mix(desk(session), 1000)
    session.execute("ANALYZE")
    session.execute("SET enable_seqscan = off")
    plan = "\n".join(line for (line,) in session.execute(DAYS_OF_AN_ACCOUNT))
    assert "Seq Scan on reporting_events_rollups" not in plan
    conditions = "\n".join(re.findall("Index Cond: .*", plan))
    assert all(part in conditions for part in ("account_id = 1", "date >= "))


@pytest.mark.parametrize("type_", ["timestamp", "timestamptz"])
def test_the_moments_that_the_application_would_write_are_filled_in(
    type_: str, session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS.replace("timestamp(6)", type_) + KEY)
    deploy(reference_database, REGISTRY)
    session.execute("SET TimeZone = 'Asia/Tokyo'")
    now = "now()" if type_ == "timestamptz" else "now() AT TIME ZONE 'UTC'"
    with session.transaction():
        write(desk(session))
        moments = session.execute(
            f"SELECT DISTINCT r.created_at = {now}, r.updated_at = {now}"
            " FROM public.reporting_events_rollups r"
        ).fetchall()
    assert moments == [(True, True)]


@pytest.mark.parametrize(
    "alteration",
    [
        "ALTER COLUMN sum_value DROP DEFAULT",
        "ALTER COLUMN count DROP DEFAULT",
        "ALTER COLUMN sum_value DROP NOT NULL, ALTER COLUMN sum_value DROP DEFAULT",
        "ALTER COLUMN created_at DROP NOT NULL",
        "ALTER COLUMN created_at TYPE timestamptz, ALTER COLUMN updated_at TYPE timestamptz",
        "ALTER COLUMN account_id TYPE bigint",
        "ALTER COLUMN dimension_type TYPE text, ALTER COLUMN metric TYPE varchar(255)",
        "DROP COLUMN sum_value_business_hours",
        "DROP COLUMN id",
        "DROP COLUMN created_at, DROP COLUMN updated_at",
        "ADD COLUMN note text",
        "ADD COLUMN flag boolean NOT NULL DEFAULT false",
    ],
)
def test_a_table_that_differs_a_little_is_adopted_and_exact(
    alteration: str, session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + KEY)
    session.execute(f"ALTER TABLE public.reporting_events_rollups {alteration}")
    deploy(reference_database, REGISTRY)
    desk(session)
    mix(session)
    write(session, name=HANDOFF)
    session.execute("DELETE FROM public.reporting_events WHERE id % 5 = 0")
    assert_exact(session)
    session.execute("SELECT rollup.rebuild()")
    assert_exact(session)
    assert deploy(reference_database, REGISTRY).changes == ()


@pytest.mark.parametrize(
    ("alteration", "message"),
    [
        ("ADD CHECK (count >= 0)", r"CHECK \(\(?count >= 0\)?\).*DROP CONSTRAINT"),
        ("ALTER COLUMN account_id TYPE smallint", "account_id is smallint; the events have integ"),
        ("ALTER COLUMN dimension_id TYPE integer", "dimension_id is integer; it must be bigint"),
        ("ALTER COLUMN dimension_id TYPE text", "dimension_id is text; it must be bigint"),
        ("ALTER COLUMN count TYPE integer", "count is integer; it must be bigint"),
        ("ALTER COLUMN sum_value TYPE numeric", "sum_value is numeric; it must be double prec"),
        ("ALTER COLUMN date TYPE timestamp", "date is timestamp without time zone; it must be"),
        ("ALTER COLUMN created_at TYPE date USING date", "created_at is date; it must be"),
        ("ALTER COLUMN metric TYPE varchar(10)", "metric"),
        ("ALTER COLUMN dimension_type TYPE varchar(6)", "dimension_type"),
        ("ADD COLUMN extra text NOT NULL", "extra is NOT NULL without a default"),
        ('ADD COLUMN "An Extra" text NOT NULL', '"An Extra" is NOT NULL without a default'),
        ("DROP COLUMN metric", "has no column metric"),
        ("ADD x bigint GENERATED ALWAYS AS (9 / count) STORED", "x, whose.*ALTER x DROP EXPRESS"),
        ("ADD UNIQUE (date, count)", "date_count_key, which is unique.*DROP CONSTRAINT"),
        ("ADD x int DEFAULT 1 UNIQUE", "x_key, which is unique by something.*DROP CONSTRAINT"),
        ("ADD EXCLUDE (count WITH =)", "count_excl, which is unique.*DROP CONSTRAINT"),
        ("ADD x serial", "x, numbered at every write up to 2147483647: ALTER SEQUENCE"),
        ("ADD FOREIGN KEY (account_id) REFERENCES public.accounts", "FOREIGN KEY.*DROP CONSTR"),
        ("SET UNLOGGED", "is unlogged.*SET LOGGED"),
    ],
)
def test_a_table_that_cannot_be_written_is_refused_and_nothing_has_changed(
    alteration: str, message: str, session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + KEY)
    session.execute(f"ALTER TABLE public.reporting_events_rollups {alteration}")
    assert_refused(session, reference_database, message)


@pytest.mark.parametrize(
    "key",
    [
        "",
        KEY.replace("UNIQUE ", ""),
        KEY.replace(", metric", ""),
        KEY.replace(", metric", ", metric, id"),
        KEY.replace("metric);", "metric) WHERE count > 0;"),
        KEY.replace("metric);", "lower(metric));"),
        "ALTER TABLE public.reporting_events_rollups ADD UNIQUE"
        " (account_id, date, dimension_type, dimension_id, metric) DEFERRABLE",
    ],
    ids=["no", "not unique", "too short", "too long", "partial", "by expression", "deferrable"],
)
def test_a_table_without_a_key_to_upsert_by_is_refused_and_nothing_has_changed(
    key: str, session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + key)
    assert_refused(session, reference_database, "no unique index on")


@pytest.mark.parametrize(
    "key",
    [
        KEY.replace("date, dimension_type", "dimension_type, date"),
        KEY.replace("metric);", "metric) INCLUDE (count);"),
        "ALTER TABLE public.reporting_events_rollups DROP COLUMN id, ADD PRIMARY KEY"
        " (metric, account_id, date, dimension_type, dimension_id)",
    ],
    ids=["another order", "with more columns included", "primary key"],
)
def test_a_key_of_another_shape_will_do(
    key: str, session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + key)
    deploy(reference_database, REGISTRY)
    mix(desk(session))
    assert_exact(session)


def test_events_whose_account_is_wider_than_that_of_the_table_are_refused(
    session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + KEY)
    session.execute("ALTER TABLE public.reporting_events ALTER COLUMN account_id TYPE bigint")
    assert_refused(session, reference_database, "account_id is integer; the events have bigint")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW public.reporting_events_rollups AS SELECT 1 AS account_id",
        "CREATE MATERIALIZED VIEW public.reporting_events_rollups AS SELECT 1 AS account_id",
        "CREATE SEQUENCE public.reporting_events_rollups",
    ],
)
def test_what_is_no_table_is_not_adopted(
    statement: str, session: Session, reference_database: str
) -> None:
    session.execute(statement)
    with pytest.raises(DatabaseError, match=r"\.reporting_events_rollups is not a table"):
        deploy(reference_database, REGISTRY)
    assert session.execute("SELECT to_regnamespace('rollup')").fetchone() == (None,)


STATEMENTS = {
    "a domain": (
        "CREATE DOMAIN public.positive AS bigint CHECK (value >= 0);"
        "ALTER TABLE public.reporting_events_rollups ALTER count TYPE public.positive",
        "count of the domain public.positive.*ALTER count TYPE bigint",
    ),
    "a trigger": (
        "CREATE TRIGGER t BEFORE UPDATE ON public.reporting_events_rollups FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "the trigger t, which.*DROP TRIGGER t ON",
    ),
    "a rule": (
        "CREATE RULE r AS ON INSERT TO public.reporting_events_rollups DO ALSO NOTHING",
        "the rule r, .*DROP RULE r ON",
    ),
    "an expression": (
        "CREATE INDEX i ON public.reporting_events_rollups ((9 / count))",
        "the index public.i, whose expression.*DROP INDEX public.i",
    ),
    "a unique index": (
        "CREATE UNIQUE INDEX i ON public.reporting_events_rollups (sum_value)",
        "the index public.i, which is unique.*DROP INDEX public.i",
    ),
    "a reference": (
        "CREATE TABLE public.notes (id bigint REFERENCES public.reporting_events_rollups)",
        "rows that public.notes refers to.*ALTER TABLE public.notes DROP CONSTRAINT",
    ),
    "an heir": (
        "CREATE TABLE public.heir () INHERITS (public.reporting_events_rollups)",
        "partitions or heirs",
    ),
    "unlogged events": (
        "ALTER TABLE public.reporting_events SET UNLOGGED",
        "public.reporting_events is unlogged.*ALTER TABLE public.reporting_events SET LOGGED",
    ),
    "an unlogged heir of the events": (
        "CREATE UNLOGGED TABLE public.old () INHERITS (public.reporting_events)",
        "public.old is unlogged.*ALTER TABLE public.old SET LOGGED",
    ),
    "unlogged accounts": (
        "CREATE UNLOGGED TABLE public.a (LIKE public.accounts); DROP TABLE public.accounts CASCADE;"
        "ALTER TABLE public.a RENAME TO accounts",
        "public.accounts is unlogged",
    ),
}


@pytest.mark.parametrize(("statement", "message"), STATEMENTS.values(), ids=STATEMENTS)
def test_what_can_fail_or_lose_totals_is_refused_and_seen_later_by_status(
    statement: str, message: str, session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + KEY)
    assert problems(session, REGISTRY) == []
    with session.transaction():
        session.execute(statement)
    assert_refused(session, reference_database, message)


def test_what_others_put_on_our_tables_after_a_deployment_is_a_problem(
    session: Session, reference_database: str
) -> None:
    deploy(reference_database, REGISTRY)
    session.execute(
        """
        ALTER TABLE rollup.pending_events SET UNLOGGED;
        CREATE TRIGGER t BEFORE INSERT ON rollup.distinct_members FOR EACH ROW
            EXECUTE FUNCTION suppress_redundant_updates_trigger();
        ALTER TABLE public.reporting_events_rollups ADD CHECK (count >= 0)
        """
    )
    report = inspect(session, REGISTRY)
    assert not report.is_current
    told = "\n".join(report.problems)
    assert "rollup.pending_events is unlogged" in told
    assert "DROP TRIGGER t ON rollup.distinct_members" in told
    assert "CHECK ((count >= 0))" in told


def test_a_disabled_trigger_and_an_uuid_that_fills_itself_are_adopted(
    session: Session, reference_database: str
) -> None:
    session.execute(COLUMNS + KEY)
    session.execute(
        """
        ALTER TABLE public.reporting_events_rollups
            ADD other uuid UNIQUE DEFAULT gen_random_uuid(),
            ADD nr bigint GENERATED ALWAYS AS IDENTITY UNIQUE;
        CREATE TRIGGER t BEFORE UPDATE ON public.reporting_events_rollups FOR EACH ROW
            EXECUTE FUNCTION suppress_redundant_updates_trigger();
        ALTER TABLE public.reporting_events_rollups DISABLE TRIGGER t
        """
    )
    deploy(reference_database, REGISTRY)
    mix(desk(session))
    assert_exact(session)
