"""The rendered SQL: what is committed, what any registry renders to, and how it is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pglast
import pytest
from pglast import ast
from pglast.enums import FunctionParameterMode, ObjectType

from generator.registry import load
from generator.render.objects import Rendered, render
from tests.support.foreign import COUNTS_ONLY, DISTINCT_ONLY, ODD_NAMES, PAGE_VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.databases import Connect

SQL = Path(__file__).parents[2] / "sql"
OTHERS = {
    "page views": PAGE_VIEWS,
    "counts only": COUNTS_ONLY,
    "distinct only": DISTINCT_ONLY,
    "odd names": ODD_NAMES,
}
REGISTRIES = {"default": load(), **{name: other.registry for name, other in OTHERS.items()}}
RENDERED = {name: render(registry) for name, registry in REGISTRIES.items()}
DEFAULT = RENDERED["default"]

WIDTH = 110
SENTENCE = re.compile(r"    E?'.*';|(COMMENT|REVOKE EXECUTE) ON FUNCTION .*")
"""The text of a COMMENT, one literal, which nothing is gained by cutting, or a signature."""

VOCABULARY = re.compile(
    r"reporting_events|user_id|agent|inbox|conversation|resolution|resolved|handoff|\bbot_|first_resp"
    r"|reply|value_in|sum_value|business|chatwoot|desk|ticket",
    re.IGNORECASE,
)


@pytest.fixture(params=RENDERED)
def rendered(request: pytest.FixtureRequest) -> tuple[Rendered, ...]:
    return RENDERED[request.param]


def statements(one: Rendered) -> list[Any]:
    return [raw.stmt for raw in pglast.parse_sql(one.text)]


def routines(rendered: tuple[Rendered, ...]) -> Iterator[tuple[Rendered, ast.CreateFunctionStmt]]:
    """Give every function and procedure, with its parsed statement."""
    for one in rendered:
        if one.kind == "function":
            statement = statements(one)[0]
            assert isinstance(statement, ast.CreateFunctionStmt)
            yield one, statement


def options(statement: ast.CreateFunctionStmt, name: str) -> list[Any]:
    return [option.arg for option in statement.options or () if option.defname == name]


def failures(
    rendered: tuple[Rendered, ...], parse: Callable[[Rendered], object]
) -> list[tuple[str, str]]:
    """Name each file that cannot be parsed, and say why."""
    found = []
    for one in rendered:
        try:
            parse(one)
        except pglast.parser.ParseError as error:
            found.append((one.path, str(error)))
    return found


def parse_body(one: Rendered) -> None:
    """Parse a body; the parser has no catalog, so what is of our own types is called a record."""
    if one.kind != "function":
        return
    if "LANGUAGE plpgsql" in one.text:
        known = re.sub(
            r"\brollup\.(chunk|difference|event|report_request)\b", "record", one.definition
        )
        pglast.parse_plpgsql(f"{known};")
    else:
        [[body]] = options(statements(one)[0], "as")
        pglast.parse_sql(body.sval)


def test_what_is_committed_is_what_is_rendered() -> None:
    committed = {str(path.relative_to(SQL)): path.read_bytes() for path in SQL.glob("**/*.sql")}
    assert committed.keys() == {one.path for one in DEFAULT}
    assert [one.path for one in DEFAULT if committed[one.path] != one.text.encode()] == []


@pytest.mark.parametrize("name", REGISTRIES)
def test_rendering_is_deterministic(name: str) -> None:
    assert render(REGISTRIES[name]) == RENDERED[name]


def test_every_object_has_a_file_of_its_own(rendered: tuple[Rendered, ...]) -> None:
    paths = [one.path for one in rendered]
    assert len({path.lower() for path in paths}) == len(paths)
    assert all(re.fullmatch(r"[a-z]+/[A-Za-z0-9._-]+\.sql", path) for path in paths)


def test_every_file_parses(rendered: tuple[Rendered, ...]) -> None:
    assert failures(rendered, statements) == []
    assert all(one.text.endswith(";\n") for one in rendered)


def test_every_body_parses(rendered: tuple[Rendered, ...]) -> None:
    assert failures(rendered, parse_body) == []


def test_every_object_has_a_comment_of_one_sentence(rendered: tuple[Rendered, ...]) -> None:
    kinds = {
        "table": {ObjectType.OBJECT_TABLE},
        "type": {ObjectType.OBJECT_TYPE},
        "view": {ObjectType.OBJECT_VIEW},
        "trigger": {ObjectType.OBJECT_TRIGGER},
        "function": {ObjectType.OBJECT_FUNCTION, ObjectType.OBJECT_PROCEDURE},
    }
    for one in rendered:
        comments = [stmt for stmt in statements(one) if isinstance(stmt, ast.CommentStmt)]
        assert sum(comment.objtype in kinds[one.kind] for comment in comments) == 1, one.path
        assert all((comment.comment or "").endswith(".") for comment in comments), one.path


def test_every_column_of_a_table_of_ours_has_a_comment(database: str, connect: Connect) -> None:
    bare = connect(database).execute(
        "SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'rollup'::regnamespace AND c.relkind = 'r' AND a.attnum > 0"
        " AND c.relname !~ 'yoyo' AND col_description(c.oid, a.attnum) IS NULL"
    )
    assert bare.fetchall() == []


UNPINNED = {"rollup.take_in_event", "rollup.record_event"}
"""Trigger functions, which pin the path for these, call them for each single event."""


def test_every_function_pins_its_search_path(rendered: tuple[Rendered, ...]) -> None:
    """But for what would lose by it: a query that PostgreSQL inlines, and what every event pays."""
    for one, statement in routines(rendered):
        if one.name in UNPINNED:
            assert one.is_closed, one.path
            continue
        if [one.sval for one in options(statement, "language")] == ["sql"] and not options(
            statement, "set"
        ):
            assert "Inlined" in one.text, one.path
            continue
        pins = [
            [value.val.sval for value in setting.args]
            for setting in options(statement, "set")
            if setting.name == "search_path"
        ]
        pinned = [["pg_catalog", "pg_temp"]]
        assert pins == ([] if statement.is_procedure else pinned), one.path


def test_procedures_which_cannot_pin_it_depend_on_no_search_path() -> None:
    """One that commits cannot pin it; so it has to qualify types, functions and operators."""
    procedures = [one for one, statement in routines(DEFAULT) if statement.is_procedure]
    assert {one.name for one in procedures} == {"rollup.backfill", "rollup.purge_events"}
    for one in procedures:
        body = re.sub(r"(ERRCODE|HINT) = ", "", one.definition.split("DECLARE", 1)[1])
        assert re.findall(r"::(?!pg_catalog\.)\w+|\s(?:[-+*/<>=]+)\s", body) == [], one.path
        called = set(re.findall(r"(?<![.\w])(\w+)\(", body))
        assert called <= {"coalesce", "OPERATOR"}, one.path


def test_trigger_functions_alone_run_with_the_rights_of_their_owner(
    rendered: tuple[Rendered, ...],
) -> None:
    for one, statement in routines(rendered):
        is_trigger = "\n RETURNS trigger\n" in one.text
        assert bool(options(statement, "security")) == is_trigger, one.path


def test_everything_is_named_with_its_schema(rendered: tuple[Rendered, ...]) -> None:
    for one in rendered:
        if one.kind == "trigger":
            assert one.table is not None
            assert f" ON {one.table}\n" in one.text, one.path
        else:
            assert f" {one.name}" in one.text, one.path
        if one.kind in ("function", "type", "view"):
            assert one.name.startswith("rollup."), one.path


def test_parameters_are_plain_words(rendered: tuple[Rendered, ...]) -> None:
    """All but the columns of a table that is returned: a registry may name those."""
    inputs = (FunctionParameterMode.FUNC_PARAM_DEFAULT, FunctionParameterMode.FUNC_PARAM_IN)
    for one, statement in routines(rendered):
        for parameter in statement.parameters or ():
            if parameter.mode == FunctionParameterMode.FUNC_PARAM_TABLE:
                continue
            assert parameter.mode in inputs, one.path
            assert re.fullmatch(r"(?![pv]_)[a-z]+(_[a-z]+)*", parameter.name), one.path


@pytest.mark.parametrize("name", ["page views", "counts only", "distinct only"])
def test_nothing_of_the_packaged_registry_is_said_of_another(name: str) -> None:
    said = {
        (one.path, word)
        for one in RENDERED[name]
        for word in VOCABULARY.findall(one.text.lower().replace("business_hours", "parameter"))
    }
    assert said == set()


def test_lines_fit_a_screen() -> None:
    """All but the parameters and result of a function, as the catalog prints them, and comments."""
    long = [
        (one.path, line)
        for one in DEFAULT
        for line in one.text.splitlines()[2 * (one.kind == "function") :]
        if len(line) > WIDTH and not SENTENCE.fullmatch(line)
    ]
    assert long == []


def test_a_name_that_is_a_column_and_a_variable_is_the_column(
    rendered: tuple[Rendered, ...],
) -> None:
    """One policy for all: variables are qualified by the label of their block."""
    for one in rendered:
        if " LANGUAGE plpgsql\n" in one.text:
            assert "$\n#variable_conflict use_column\n" in one.text, one.path


def test_there_is_no_stray_white_space(rendered: tuple[Rendered, ...]) -> None:
    for one in rendered:
        assert "\n\n\n" not in one.text, one.path
        assert not one.text.startswith("\n"), one.path
        assert [line for line in one.text.split("\n") if line != line.rstrip()] == [], one.path


def test_the_catalog_keeps_every_function_as_it_is_written(database: str, connect: Connect) -> None:
    kept = connect(database).execute(
        "SELECT rtrim(pg_get_functiondef(p.oid), E'\n') FROM pg_proc p"
        " WHERE p.pronamespace = 'rollup'::regnamespace"
    )
    written = {one.definition for one in DEFAULT if one.kind == "function"}
    assert {text for (text,) in kept} == written


LONGEST = 200
"""How many lines a function may have."""
BLOCK = 12
"""How many lines in a row may stand in no more than two files."""


def test_no_function_is_longer_than_can_be_read() -> None:
    lines = {one.path: one.text.count("\n") for one in DEFAULT if one.kind == "function"}
    assert {path: length for path, length in lines.items() if length > LONGEST} == {}


def test_no_block_of_lines_is_in_more_than_two_files() -> None:
    """What three objects need is a view, or a function that takes an array of events."""
    places: dict[tuple[str, ...], set[str]] = {}
    for one in DEFAULT:
        lines = [line.strip() for line in one.text.splitlines() if line.strip()]
        for start in range(len(lines) - BLOCK + 1):
            places.setdefault(tuple(lines[start : start + BLOCK]), set()).add(one.path)
    assert [(block[0], paths) for block, paths in places.items() if len(paths) > 2] == []
