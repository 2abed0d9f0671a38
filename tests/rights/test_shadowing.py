"""Roles that may create objects put them first: none of ours ever finds them instead of its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from generator.deploy.deploy import deploy
from generator.operate.status import inspect
from generator.registry import load
from tests.support.command import succeed
from tests.support.events import desk, mix, write
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.support.databases import Connect

    Session = psycopg.Connection[Any]

REGISTRY = load()

TRAP = """
CREATE SCHEMA trap;
CREATE SEQUENCE trap.calls;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
"""

TYPES = (
    *("bigint", "integer", "text", "boolean", "date", "double precision"),
    *("timestamp", "timestamptz", "datemultirange", "daterange", "interval", "name", "varchar"),
)
OPERATORS = ("=", "<>", "<", "<=", ">", ">=", "+", "-", "&", "*", "/", "||", "@>")
MIXED = (
    *(("bigint", "integer"), ("integer", "bigint"), ("double precision", "numeric")),
    *(("varchar", "text"), ("date", "integer"), ("timestamp", "date"), ("timestamptz", "date")),
    *(("timestamp", "interval"), ("datemultirange", "date"), ("jsonb", "text")),
)
FUNCTIONS = {
    "count": ["bigint", "integer", "text"],
    "sum": ["bigint", "integer", "double precision"],
    "min": ["date", "bigint"],
    "now": [""],
    "clock_timestamp": [""],
    "format": ["text, bigint", "text, date"],
    "isempty": ["datemultirange"],
    "lower": ["text", "datemultirange", "daterange"],
    "upper": ["datemultirange", "daterange"],
    "unnest": ["bigint[]", "datemultirange"],
    "array_agg": ["bigint", "text"],
    "bool_or": ["boolean"],
    "cardinality": ["bigint[]"],
    "generate_series": ["integer, integer", "timestamp, timestamp, interval"],
    "daterange": ["date, date"],
    "datemultirange": ["daterange"],
    "pg_try_advisory_xact_lock": ["integer, integer"],
    "pg_advisory_xact_lock": ["integer, integer"],
    "current_setting": ["text", "text, boolean"],
    "quote_literal": ["text"],
    "date_trunc": ["text, timestamp", "text, timestamptz, text"],
    "timezone": ["text, timestamp", "text, timestamptz"],
    "to_regclass": ["text"],
    "set_config": ["text, text, boolean"],
    "rtrim": ["text, text"],
    "has_function_privilege": ["text, oid, text"],
    "pg_get_functiondef": ["oid"],
    "quote_ident": ["text", "name"],
}


def traps(schema: str) -> Iterator[str]:
    """Give statements that create operators and functions there, each of which counts its calls.

    They take just the types that ours are given: where they are found, none suits better. The
    sequence survives a rollback.
    """
    counting = "AS $$ BEGIN PERFORM pg_catalog.nextval('trap.calls'); RETURN NULL; END $$"
    for left, right in (*((one, one) for one in TYPES), *MIXED):
        yield (
            f"CREATE OR REPLACE FUNCTION {schema}.trapped({left}, {right}) RETURNS boolean"
            f" LANGUAGE plpgsql {counting}"
        )
        for operator in OPERATORS:
            yield (
                f"CREATE OPERATOR {schema}.{operator} (LEFTARG = {left}, RIGHTARG = {right},"
                f" FUNCTION = {schema}.trapped)"
            )
    for name, signatures in FUNCTIONS.items():
        for signature in signatures:
            yield (
                f"CREATE FUNCTION {schema}.{name}({signature}) RETURNS boolean"
                f" LANGUAGE plpgsql {counting}"
            )
    for name in ("int8", "text", "bigint", "date"):
        yield f'CREATE DOMAIN {schema}."{name}" AS boolean CHECK (false)'


@pytest.fixture
def trapped(reference_database: str, connect: Connect) -> Session:
    """Give a session as the superuser of a database without the product, but with traps."""
    root = connect(reference_database)
    root.execute("SET search_path = pg_catalog")
    root.execute(TRAP)
    for schema in ("public", "trap"):
        for statement in traps(schema):
            root.execute(statement)
    root.execute("GRANT USAGE ON SEQUENCE trap.calls TO PUBLIC")
    return root


@contextmanager
def nothing_caught(root: Session) -> Iterator[None]:
    """Fail where a trap was called within the block."""
    before = calls(root)
    yield
    assert calls(root) == before


def calls(root: Session) -> list[tuple[Any, ...]]:
    return root.execute("SELECT s.last_value, s.is_called FROM trap.calls s").fetchall()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("public", "SELECT isempty('{}'::datemultirange)"),
        ("public", "SELECT '{}'::datemultirange = '{}'::datemultirange"),
        ("trap,pg_catalog", "SELECT pg_catalog.int8 '1' = pg_catalog.int8 '1'"),
        ("trap,pg_catalog", "SELECT sum(i) FROM (VALUES (1)) v (i)"),
        ("trap,pg_catalog", "SELECT now()"),
    ],
)
def test_the_traps_catch_a_call_that_relies_on_the_path(
    path: str, query: str, trapped: Session, reference_database: str, connect: Connect
) -> None:
    before = calls(trapped)
    connect(reference_database, options=f"-c search_path={path}").execute(query)
    assert calls(trapped) != before


@pytest.mark.parametrize("path", ["", "public", "trap,pg_catalog"])
def test_deploying_and_every_command_of_the_owner_call_nothing_of_others(
    path: str, trapped: Session, reference_database: str
) -> None:
    """Views are parsed once, when they are created: what they find then they keep."""
    if path:
        trapped.execute(
            f"ALTER DATABASE {trapped.info.dbname} SET search_path = {path}",
        )
    with nothing_caught(trapped):
        deploy(reference_database, REGISTRY)
        desk(trapped)
        mix(trapped)
        on = reference_database
        for command in (
            ["status"],
            ["backfill", "--yes"],
            ["timezone", "1", "Europe/Berlin"],
            ["reads", "1", "on"],
            ["report", "summary", "agent", "--account", "1"],
            ["verify"],
            ["fold"],
            ["deploy"],
        ):
            succeed(*command, on=on)
        for view in ("current_rollups", "current_members", "coverage", "status"):
            trapped.execute(f"SELECT * FROM rollup.{view}")
        assert inspect(trapped, REGISTRY).is_current
    assert_exact(trapped)


CALLS = (
    "CALL rollup.backfill()",
    "CALL rollup.backfill(2, '2026-03-08', '2026-03-10')",
    "SELECT rollup.set_timezone(3, 'Asia/Tokyo')",
    "SELECT rollup.fold()",
    "SELECT rollup.rebuild()",
    "SELECT rollup.drift()",
    "SELECT rollup.backfill_chunks()",
    "SELECT rollup.timeseries(1, 'reply_time', NULL, NULL, '2026-03-08 00:00+00', '2026-03-10')",
    "SELECT rollup.aggregate(1, 'bot_handoffs_count', 'agent', 2, '2026-03-01', '2026-03-20')",
    "SELECT rollup.summary(2, 'inbox', '2026-03-08 02:00+00', '2026-03-10')",
    "SELECT rollup.explain_report(2, 'reply_time', NULL, NULL, '2026-03-08', '2026-03-10')",
    "TABLE rollup.current_rollups",
    "TABLE rollup.current_members",
    "TABLE rollup.status",
    "CALL rollup.purge_events('2026-03-09')",
    "CALL rollup.purge_events('2026-03-10', 1)",
)


@pytest.mark.parametrize("path", ["trap,pg_catalog,public", "pg_temp,trap,pg_catalog", "public"])
def test_whatever_a_caller_has_put_first_is_never_called(
    path: str, trapped: Session, reference_database: str, connect: Connect
) -> None:
    """By triggers, by views and by procedures, which commit and so cannot pin their path."""
    deploy(reference_database, REGISTRY)
    desk(trapped)
    caller = connect(reference_database, options="-c statement_timeout=60s")
    with nothing_caught(trapped):
        for level in ("read committed", "repeatable read"):
            caller.execute(f"SET default_transaction_isolation = '{level}'")
            caller.execute("SET search_path = pg_catalog")
            mix(caller, 60)
            caller.execute(f"SET search_path = {path}")
            write(caller)
            caller.execute("UPDATE public.reporting_events SET value = 3")
            caller.execute("UPDATE public.accounts SET settings = NULL")
            caller.execute("DELETE FROM public.reporting_events WHERE value IS NULL")
        caller.execute("SET default_transaction_isolation = 'read committed'")
        trapped.execute("UPDATE rollup.accounts SET reads_enabled = true")
        for statement in CALLS:
            caller.execute(statement)
        caller.execute("TRUNCATE public.accounts")
    assert trapped.execute("SELECT rollup.drift()").fetchall() == []
