"""What other people's checkers say of the rendered SQL: pgspot here, plpgsql_check on a server."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import TYPE_CHECKING

import pytest
from pgspot.state import Counter, State
from pgspot.visitors import visit_sql

from generator.deploy.deploy import deploy
from tests.render.test_rendered import OTHERS, REGISTRIES, RENDERED, routines

if TYPE_CHECKING:
    from generator.render.objects import Rendered
    from tests.support.databases import Connect

PATH = "SET search_path TO pg_catalog, pg_temp;\n"
"""As generator.database.connection has it: views are created, and defaults read, under it."""

PIN = "\n SET search_path TO 'pg_catalog', 'pg_temp'"

JUSTIFIED = {("PS005", "rollup.backfill"), ("PS005", "rollup.purge_events")}
"""Procedures that commit, and so cannot pin their path. What is said of their bodies does count."""

CHECK = """
SELECT
    p.oid::regprocedure::text,
    c.lineno,
    c.level,
    c.message
FROM pg_proc p
LEFT JOIN pg_trigger t ON t.tgfoid = p.oid
CROSS JOIN plpgsql_check_function_tb(
    p.oid,
    relid => coalesce(t.tgrelid, 0),
    oldtable => t.tgoldtable,
    newtable => t.tgnewtable
) c
WHERE p.pronamespace = 'rollup'::regnamespace
AND p.prolang = (SELECT l.oid FROM pg_language l WHERE l.lanname = 'plpgsql')
"""

EVERYTHING = Namespace(
    ignore=[], ignore_lang=[], proc_without_search_path=[], plpgsql=True, sql_fn=[]
)


class Findings(Counter):  # type: ignore[misc]
    """What pgspot finds, kept instead of printed."""

    def __init__(self) -> None:
        super().__init__(EVERYTHING)
        self.found: set[tuple[str, str]] = set()

    def print_issue(self, code: str, context: str) -> None:
        self.found.add((code, context))

    def unknown(self, message: str) -> None:
        self.found.add(("unknown", message))


def findings(text: str) -> set[tuple[str, str]]:
    """Let pgspot read a file, as something that is put into our own schema.

    Its parser has no catalog, so what is of our own types is called a record; and it takes what
    RETURN NEXT returns for a statement.
    """
    if "LANGUAGE plpgsql" in text:
        text = re.sub(r"\brollup\.(chunk|difference|event|report_request)\b", "record", text)
    text = re.sub(r"\bRETURN NEXT (.*);", r"PERFORM \1;", text)
    counter = Findings()
    state = State(counter)
    state.created_schemas = ["rollup"]
    visit_sql(state, text, toplevel=True)
    return counter.found


def of_file(one: Rendered) -> set[tuple[str, str]]:
    """Read a file; what pins no path is run by functions that do: see test_render."""
    text = one.text
    if "LANGUAGE" in text and " SET search_path" not in text and "PROCEDURE" not in text:
        text = text.replace("\nAS $function$", f"{PIN}\nAS $function$", 1)
    found = findings(PATH + text)
    if one.kind == "table":
        # One that is there is adopted; that its owner owns it, deploy has made sure.
        return {(code, what) for code, what in found if code != "PS012"}
    return {(code, what) for code, what in found if (code, one.name) not in JUSTIFIED}


@pytest.mark.parametrize("name", REGISTRIES)
def test_pgspot_finds_nothing(name: str) -> None:
    found = {one.path: of_file(one) for one in RENDERED[name]}
    assert {path: issues for path, issues in found.items() if issues} == {}


def test_what_is_justified_is_still_found() -> None:
    found = {
        (code, one.name) for one in RENDERED["default"] for code, _ in findings(PATH + one.text)
    }
    assert found >= JUSTIFIED


@pytest.mark.parametrize(
    ("damage", "by", "code"),
    [
        ("OPERATOR(pg_catalog.=) 0", "= 0", "PS001"),
        ("pg_catalog.now(", "now(", "PS016"),
        ("FROM rollup.accounts", "FROM accounts", "PS017"),
    ],
)
def test_pgspot_finds_what_a_procedure_does_not_qualify(damage: str, by: str, code: str) -> None:
    [procedure] = [one for one in RENDERED["default"] if one.name == "rollup.purge_events"]
    assert damage in procedure.text
    assert code in {code for code, _ in findings(PATH + procedure.text.replace(damage, by))}


def test_pgspot_finds_a_function_that_lost_its_search_path() -> None:
    trigger = next(one for one in RENDERED["default"] if "SECURITY DEFINER" in one.text)
    found = findings(PATH + re.sub(r"\n SET search_path.*", "", trigger.text))
    assert "PS003" in {code for code, _ in found}


@pytest.mark.parametrize("name", REGISTRIES)
def test_the_variables_of_procedures_have_types_with_a_schema(name: str) -> None:
    """Which pgspot does not look at."""
    procedures = [one for one, statement in routines(RENDERED[name]) if statement.is_procedure]
    declared = [
        type_
        for one in procedures
        for type_ in re.findall(
            r"^    \w+ (.*);$", one.definition.split("DECLARE")[1].split("BEGIN")[0], re.MULTILINE
        )
    ]
    assert len(declared) > 4
    assert [type_ for type_ in declared if not type_.startswith(("pg_catalog.", "rollup."))] == []


@pytest.mark.parametrize("name", REGISTRIES)
def test_plpgsql_check_finds_nothing(name: str, reference_database: str, connect: Connect) -> None:
    session = connect(reference_database)
    available = "SELECT FROM pg_available_extensions e WHERE e.name = 'plpgsql_check'"
    if session.execute(available).fetchone() is None:
        pytest.skip("the server has no extension plpgsql_check")
    session.execute("CREATE EXTENSION plpgsql_check")
    if name in OTHERS:
        OTHERS[name].create(session)
    deploy(reference_database, REGISTRIES[name])
    assert session.execute(CHECK).fetchall() == []
