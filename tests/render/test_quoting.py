from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError, UndefinedError
from pglast import keywords

from generator.quoting import QUOTED_KEYWORDS, Sql, ident, literal, qualified
from generator.render.environment import environment

if TYPE_CHECKING:
    import psycopg

    from tests.support.databases import Connect

    Connection = psycopg.Connection[Any]

# All examples may use the same connection: none leaves anything that another one sees.
repeated = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NASTY = st.text(st.sampled_from("ab_1Z'\"\\$%{}();:-/* \n\té🦆")) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)
TAGGED = st.builds(
    "".join, st.lists(st.sampled_from(["$", "$$", "$sql$", "function", "'", "\\", "1", "é"]))
)


def is_on_one_line(text: str) -> bool:
    return not {"\n", "\r"} & set(text) and text.count("$") < 2


def can_be_a_name(text: str) -> bool:
    return 0 < len(text.encode()) <= 63 and is_on_one_line(text)


@pytest.fixture
def server(empty_database: str, connect: Connect) -> Connection:
    return connect(empty_database)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("events", "events"),
        ("_1", "_1"),
        ("name", "name"),
        ("user", '"user"'),
        ("json_table", '"json_table"'),
        ("1st", '"1st"'),
        ("Events", '"Events"'),
        ("café", '"café"'),
        ("a$b", '"a$b"'),
        ("a b", '"a b"'),
        ('say "hi"', '"say ""hi"""'),
        ("tab\t", '"tab\t"'),
        ("x" * 63, "x" * 63),
    ],
)
def test_ident(name: str, expected: str) -> None:
    assert ident(name) == expected
    assert isinstance(ident(name), Sql)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "must not be empty"),
        ("a\0b", "must not contain a NUL character"),
        ("x" * 64, "is 64 bytes long; PostgreSQL names have at most 63"),
        ("é" * 32, "is 64 bytes long; PostgreSQL names have at most 63"),
        ("a$function$b", r"must not contain '\$function\$', which delimits text in SQL"),
        ("$$", r"must not contain '\$\$', which delimits text in SQL"),
        ("plain\n", "must not contain a line break"),
        ("a\rb", "must not contain a line break"),
    ],
)
def test_ident_refuses(name: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        ident(name)


def test_qualified() -> None:
    assert qualified("public", "Events") == 'public."Events"'
    assert isinstance(qualified("public", "events"), Sql)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "''"),
        ("it's", "'it''s'"),
        (r"a\b", r"E'a\\b'"),
        (r"it's \ so", r"E'it''s \\ so'"),
        ("100 $", "'100 $'"),
        ("$function$", r"E'\x24function\x24'"),
        ("a$$b", r"E'a\x24\x24b'"),
        ("two\nlines\r\n", r"E'two\nlines\r\n'"),
        (0, "0"),
        (7, "7"),
        (-7, "(-7)"),
        (None, "NULL"),
        (True, "TRUE"),
        (False, "FALSE"),
    ],
)
def test_literal(value: str | int | None, expected: str) -> None:
    assert literal(value) == expected
    assert isinstance(literal(value), Sql)


def test_literal_refuses_a_nul() -> None:
    with pytest.raises(ValueError, match=r"^must not contain a NUL character$"):
        literal("a\0b")


def test_the_quoted_keywords_are_those_of_the_newest_grammar() -> None:
    """No keyword of PostgreSQL 14 to 17 has become unreserved since, so the newest has them all."""
    assert QUOTED_KEYWORDS >= (
        keywords.COL_NAME_KEYWORDS | keywords.RESERVED_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS
    )
    assert not QUOTED_KEYWORDS & keywords.UNRESERVED_KEYWORDS


def test_every_keyword_of_the_server_is_quoted_as_the_server_does(server: Connection) -> None:
    rows = server.execute("SELECT word, quote_ident(word), catcode <> 'U' FROM pg_get_keywords()")
    for word, quoted, needed in rows:
        if needed:
            assert ident(word) == quoted == f'"{word}"'
        else:  # a newer server may reserve it
            assert ident(word) in (quoted, f'"{word}"')


@repeated
@given(name=NASTY.filter(can_be_a_name))
def test_ident_is_quote_ident_and_the_server_reads_it_back(server: Connection, name: str) -> None:
    assert server.execute("SELECT quote_ident(%s)", [name]).fetchone() == (ident(name),)
    cursor = server.execute(f"SELECT 1 AS {ident(name)}".encode())
    assert cursor.description
    assert cursor.description[0].name == name


@repeated
@given(text=NASTY.filter(is_on_one_line))
def test_literal_is_quote_literal(server: Connection, text: str) -> None:
    assert server.execute("SELECT quote_literal(%s)", [text]).fetchone() == (literal(text),)


@repeated
@given(text=NASTY | TAGGED, conforming=st.booleans())
def test_the_server_reads_a_literal_back_whatever_its_setting(
    server: Connection, text: str, conforming: bool
) -> None:
    server.execute(f"SET standard_conforming_strings = {literal(conforming)}")
    assert server.execute(f"SELECT {literal(text)}".encode()).fetchone() == (text,)
    assert "\n" not in literal(text)


@repeated
@given(text=NASTY | TAGGED)
def test_a_literal_can_stand_in_a_function_body(server: Connection, text: str) -> None:
    server.execute(
        f"""
        CREATE OR REPLACE FUNCTION pg_temp.body() RETURNS text LANGUAGE plpgsql AS $function$
        BEGIN
            EXECUTE $sql$SELECT {literal(text)}$sql$;
            RETURN {literal(text)};
        END
        $function$
        """.encode()
    )
    assert server.execute("SELECT pg_temp.body()").fetchone() == (text,)


@repeated
@given(number=st.integers(-(2**63), 2**63 - 1))
def test_a_number_can_be_subtracted(server: Connection, number: int) -> None:
    row = server.execute(f"SELECT 0::numeric-{literal(number)}".encode()).fetchone()
    assert row == (-number,)


def render(template: str, **values: Any) -> str:
    return environment().from_string(template).render(**values)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("SELECT 1;\n", "SELECT 1;\n"),
        ("{{ name | ident }}, {{ name | literal }}", "\"it's\", 'it''s'"),
        ("{{ 'public' | qualified(name) }}", 'public."it\'s"'),
        ("{{ quoted }}", '"x y"'),
        ("{{ 7 }} {{ number }}", "7 (-7)"),
        ("{{ 'NULL' }}", "NULL"),
        ("{% if name %}\nyes\n{% endif %}\nno\n", "yes\nno\n"),
        (
            "{% for i in [1, 2] %}\n    {{ i }}{{ ',' if not loop.last }}\n{% endfor %}",
            "    1,\n    2\n",
        ),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m('events') }}", "<events>"),
        ("{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}{{ 1 }}{% endcall %}", "(1)"),
        ("{% set x %}{{ name | ident }}{% endset %}{{ x }}", '"it\'s"'),
    ],
)
def test_what_a_template_may_print(template: str, expected: str) -> None:
    result = render(template, name="it's", quoted=ident("x y"), number=-7)
    assert result == expected
    assert isinstance(result, Sql)


@pytest.mark.parametrize(
    "expression",
    [
        *("name", "name | upper", "name | string", "name | safe", "name | e", "name | trim"),
        *("name ~ ''", "'' + name", "'%s' | format(name)", "name | default('x')"),
        *("'x' | replace('x', name)", "[name] | join", "''.join([name])", "'x' ~ (name | ident)"),
        *("name | ident | upper", "name | ident | lower", "name if true else 'x'"),
        *(
            "'' | default(name, true)",
            "macro(name)",
            "[name]",
            "none",
            "true",
            "1.5",
            "1.5 | round",
        ),
    ],
)
def test_what_a_template_may_not_print(expression: str) -> None:
    template = "{% macro macro(x) %}{{ x }}{% endmacro %}{{ " + expression + " }}"
    with pytest.raises(TypeError, match=r"^not quoted: .*; use the filter `ident` or `literal`$"):
        render(template, name="name")


@pytest.mark.parametrize("expression", ["nobody", "name.colour", "nobody | default(nobody)"])
def test_a_template_may_not_print_what_does_not_exist(expression: str) -> None:
    with pytest.raises(UndefinedError):
        render("{{ " + expression + " }}", name="name")


def test_a_template_may_not_have_a_filter_block() -> None:
    with pytest.raises(TemplateSyntaxError, match="a filter block prints what nothing has checked"):
        render("{% filter replace('x', name) %}x{% endfilter %}", name="name")
