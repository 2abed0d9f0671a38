"""What may be done by hand to what is deployed."""

from __future__ import annotations

from typing import NamedTuple


class Damage(NamedTuple):
    """What is done by hand, and what it is to look like."""

    statement: str
    seen: dict[str, str]


FUNCTION = "CREATE FUNCTION rollup.{} RETURNS {} LANGUAGE sql AS 'SELECT {}'"

DAMAGES = {
    "the body of a function": Damage(
        "CREATE OR REPLACE FUNCTION rollup.require_read_committed() RETURNS void"
        " LANGUAGE plpgsql SET search_path TO 'pg_catalog', 'pg_temp' AS 'BEGIN END'",
        {"function rollup.require_read_committed": "OUTDATED"},
    ),
    "the body of a trigger function": Damage(
        "CREATE OR REPLACE FUNCTION rollup.reporting_events_after_insert() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        {"function rollup.reporting_events_after_insert": "OUTDATED"},
    ),
    "the body of the procedure": Damage(
        "CREATE OR REPLACE PROCEDURE rollup.backfill(account_id bigint DEFAULT NULL,"
        " since date DEFAULT NULL, until date DEFAULT NULL) LANGUAGE sql AS 'SELECT 1'",
        {"function rollup.backfill": "OUTDATED"},
    ),
    "the search path of a function": Damage(
        "ALTER FUNCTION rollup.reporting_events_after_delete() RESET search_path",
        {"function rollup.reporting_events_after_delete": "OUTDATED"},
    ),
    "the rights of a function": Damage(
        "ALTER FUNCTION rollup.reporting_events_after_update() SECURITY INVOKER",
        {"function rollup.reporting_events_after_update": "OUTDATED"},
    ),
    "the volatility of a function": Damage(
        "ALTER FUNCTION rollup.drift VOLATILE", {"function rollup.drift": "OUTDATED"}
    ),
    "the result of a function": Damage(
        "DROP FUNCTION rollup.fold;" + FUNCTION.format("fold(bigint)", "integer", "1"),
        {"function rollup.fold": "OUTDATED"},
    ),
    "the parameters' names": Damage(
        "DROP FUNCTION rollup.set_timezone;"
        + FUNCTION.format("set_timezone(a bigint, b text)", "text", "$2"),
        {"function rollup.set_timezone": "OUTDATED"},
    ),
    "a function in a procedure's place": Damage(
        "DROP PROCEDURE rollup.backfill;" + FUNCTION.format("backfill(bigint)", "bigint", "$1"),
        {"function rollup.backfill": "OUTDATED"},
    ),
    "a function is gone": Damage(
        "DROP FUNCTION rollup.rebuild", {"function rollup.rebuild": "MISSING"}
    ),
    "a trigger function is gone": Damage(
        "DROP FUNCTION rollup.reporting_events_after_insert() CASCADE",
        {
            "function rollup.reporting_events_after_insert": "MISSING",
            "trigger rollup_after_insert on public.reporting_events": "MISSING",
        },
    ),
    "an overload": Damage(
        FUNCTION.format("fold(text)", "bigint", "1"), {"function rollup.fold": "OUTDATED"}
    ),
    "two overloads": Damage(
        FUNCTION.format("drift(text)", "bigint", "1")
        + ";"
        + FUNCTION.format("drift(date)", "bigint", "1"),
        {"function rollup.drift": "OUTDATED"},
    ),
    "a function of their own": Damage(
        FUNCTION.format('"of our own"(text, bigint[])', "bigint", "1"),
        {'function rollup."of our own"': "ORPHANED"},
    ),
    "a view's query": Damage(
        "CREATE OR REPLACE VIEW rollup.current_members AS"
        " SELECT * FROM rollup.distinct_members WHERE occurrences > 1",
        {"view rollup.current_members": "OUTDATED"},
    ),
    "a view's columns": Damage(
        "DROP VIEW rollup.current_rollups;"
        "CREATE VIEW rollup.current_rollups AS SELECT 1 AS metric, 2 AS account_id",
        {"view rollup.current_rollups": "OUTDATED"},
    ),
    "a view is gone": Damage("DROP VIEW rollup.status", {"view rollup.status": "MISSING"}),
    "a view of their own": Damage(
        "CREATE VIEW rollup.own AS SELECT 1", {"view rollup.own": "ORPHANED"}
    ),
    "a view of their own on a function of their own": Damage(
        FUNCTION.format("own()", "bigint", "1")
        + ";CREATE VIEW rollup.own AS SELECT rollup.own() AS own",
        {"function rollup.own": "ORPHANED", "view rollup.own": "ORPHANED"},
    ),
    "a function of their own on a view of their own": Damage(
        "CREATE VIEW rollup.own AS SELECT 1 AS own;"
        "CREATE FUNCTION rollup.own() RETURNS SETOF rollup.own LANGUAGE sql"
        " AS 'SELECT * FROM rollup.own'",
        {"function rollup.own": "ORPHANED", "view rollup.own": "ORPHANED"},
    ),
    "a view of their own on a view of ours": Damage(
        "CREATE VIEW rollup.own AS SELECT * FROM rollup.current_rollups",
        {"view rollup.own": "ORPHANED"},
    ),
    "a type has more": Damage(
        "ALTER TYPE rollup.chunk ADD ATTRIBUTE more text", {"type rollup.chunk": "OUTDATED"}
    ),
    "a type has another order": Damage(
        "ALTER TYPE rollup.difference DROP ATTRIBUTE date, ADD ATTRIBUTE date date",
        {"type rollup.difference": "OUTDATED"},
    ),
    "a type is gone": Damage(
        "DROP TYPE rollup.difference CASCADE",
        {
            "type rollup.difference": "MISSING",
            "function rollup.drift": "MISSING",
            "function rollup.verify_sample": "MISSING",
        },
    ),
    "a type of their own": Damage(
        "CREATE TYPE rollup.own AS (id bigint)", {"type rollup.own": "ORPHANED"}
    ),
    "a trigger is disabled": Damage(
        "ALTER TABLE public.reporting_events DISABLE TRIGGER rollup_after_insert",
        {"trigger rollup_after_insert on public.reporting_events": "DISABLED"},
    ),
    "all triggers are disabled": Damage(
        "ALTER TABLE public.reporting_events DISABLE TRIGGER USER",
        {
            f"trigger rollup_after_{verb} on public.reporting_events": "DISABLED"
            for verb in ("insert", "update", "delete", "truncate")
        },
    ),
    "a trigger fires on replicas": Damage(
        "ALTER TABLE public.reporting_events ENABLE ALWAYS TRIGGER rollup_after_update",
        {"trigger rollup_after_update on public.reporting_events": "DISABLED"},
    ),
    "a trigger is gone": Damage(
        "DROP TRIGGER rollup_after_delete ON public.reporting_events",
        {"trigger rollup_after_delete on public.reporting_events": "MISSING"},
    ),
    "a trigger calls another function": Damage(
        "CREATE OR REPLACE TRIGGER rollup_after_insert AFTER INSERT ON public.reporting_events"
        " REFERENCING NEW TABLE AS deleted FOR EACH STATEMENT"
        " EXECUTE FUNCTION rollup.reporting_events_after_delete()",
        {"trigger rollup_after_insert on public.reporting_events": "OUTDATED"},
    ),
    "a trigger is on another table": Damage(
        "CREATE TRIGGER rollup_after_truncate AFTER TRUNCATE ON public.conversations"
        " FOR EACH STATEMENT EXECUTE FUNCTION rollup.reporting_events_after_truncate()",
        {"trigger rollup_after_truncate on public.conversations": "ORPHANED"},
    ),
    "a trigger has another name": Damage(
        "ALTER TRIGGER rollup_after_update ON public.accounts RENAME TO mine",
        {
            "trigger rollup_after_update on public.accounts": "MISSING",
            "trigger mine on public.accounts": "ORPHANED",
        },
    ),
}
