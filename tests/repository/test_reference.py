"""Pages that are written from the source say what it says, and it says what the database has."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from docs import registry as registry_page
from docs import sql_map
from docs.objects import SHORT, described
from docs.reference import PAGE, PUBLIC, page, slug
from generator.cli import cli
from generator.registry import load
from generator.render.objects import render

if TYPE_CHECKING:
    from tests.support.databases import Connect

COLUMNS = """
SELECT
    format('%s.%s', c.relnamespace::regnamespace, c.relname),
    a.attname,
    format_type(a.atttypid, a.atttypmod)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE (c.relnamespace = 'rollup'::regnamespace OR c.relname = 'reporting_events_rollups')
AND c.relkind IN ('r', 'v', 'c')
AND c.relname !~ 'yoyo'
ORDER BY c.oid, a.attnum
"""


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "docs/reference.md is out of date: run `make docs`"


def test_the_page_of_the_registry_is_up_to_date() -> None:
    told = registry_page.PAGE.read_text("utf-8")
    assert told == registry_page.page(), "docs/registry.md is out of date: run `make docs`"


def test_the_page_of_the_registry_has_every_section_and_every_key() -> None:
    sections = registry_page.SECTIONS
    headings = {section.heading.split(".")[0] for section in sections}
    headings |= {"format", registry_page.ALIASES.heading}
    assert headings == set(registry_page.DOCUMENT)
    for section in sections:
        fields = {field.name for field in dataclasses.fields(section.model)}
        assert fields == {*section.keys, *section.names}, section.heading


def test_the_map_of_the_sql_is_up_to_date() -> None:
    assert sql_map.PAGE.read_text() == sql_map.page(), "sql/README.md is old: run `make docs`"


def test_the_map_names_every_function_and_view() -> None:
    paths = {one.path for one in render(load()) if one.kind in ("function", "view")}
    linked = set(re.findall(r"\]\(((?:functions|views)/[^)]+)\)", sql_map.page()))
    assert linked == paths


def test_every_object_has_the_columns_and_types_of_the_catalog(
    database: str, connect: Connect
) -> None:
    existing: dict[str, list[tuple[str, str]]] = {}
    for name, column, type_ in connect(database).execute(COLUMNS):
        existing.setdefault(name, []).append((column, SHORT.get(type_, type_)))
    told = {
        one.name: [(column.name, column.type) for column in one.columns]
        for one in described(render(load()))
        if one.columns
    }
    assert {name: sorted(columns) for name, columns in told.items()} == {
        name: sorted(columns) for name, columns in existing.items()
    }


def test_all_that_is_public_exists_and_comes_before_what_is_not() -> None:
    names = {one.name for one in described(render(load())) if one.kind != "trigger"}
    public = {f"rollup.{name}" for name in PUBLIC}
    assert public <= names
    before, after = page().split("\n## Internals\n")
    for name in names:
        is_before = re.search(rf"^### {re.escape(name)}(\(\))?$", before, re.MULTILINE) is not None
        is_after = re.search(rf"^### {re.escape(name)}(\(\))?$", after, re.MULTILINE) is not None
        is_ours = name in public or not name.startswith("rollup.")
        assert (is_before, is_after) == (is_ours, not is_ours), name


def test_what_the_page_lists_for_queries_is_public() -> None:
    table = page().split("\n## For your queries\n")[1].split("\n### ")[0]
    listed = set(re.findall(r"rollup\.(\w+)", table)) - {"reporting_events_rollups"}
    assert len(listed) > 10
    assert listed <= set(PUBLIC)


def test_every_command_is_there_with_all_its_options() -> None:
    sections = dict(re.findall(r"^### ([a-z]+)\n(.*?)(?=^##)", page(), re.DOTALL | re.MULTILINE))
    for name, command in cli.commands.items():
        for param in command.params:
            if param.param_type_name == "option":
                assert param.opts[0] in sections[name], f"{name} {param.opts[0]}"


def test_every_anchor_leads_to_one_heading() -> None:
    anchors = [slug(heading) for heading in re.findall(r"^#+ (.*)$", page(), re.MULTILINE)]
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\(#([^)]*)\)", page())) <= set(anchors)
