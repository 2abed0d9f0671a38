"""The format of a registry file, and what to write in place of one that is no longer read.

Format 1 had the source in [source] and the columns of dimensions in [dimensions], and named each
measure like its column.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from generator.registry.problems import Problem, dotted, wrong_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.registry.problems import Place

    Document = dict[str, Any]

FORMAT = 2
"""The one that is read."""

_INDENT = " " * 6
_WIDTH = 80 - len(_INDENT)
"""What fits a terminal that breaks lines: TOML allows no line break in an inline table."""


def problem(document: Document) -> Problem | None:
    """Say what is wrong with a file in another format, if it is one, and what to do about it."""
    given = document.get("format")
    if type(given) is int and given > FORMAT:
        what = f"is {given}, and this version reads {FORMAT}"
        return Problem(("format",), f"{what}; install a newer version of reporting-rollups")
    old = [name for name in ("source", "dimensions") if _is_old(name, document)]
    if not old:
        return None
    what = f"{' and '.join(f'[{name}]' for name in old)} {'are' if len(old) > 1 else 'is'}"
    delete = f"delete {'them' if len(old) > 1 else 'it'}"
    if given == FORMAT or "sources" in document:
        place, lines = (old[0],), "add these lines at the end of the file"
    else:
        place, lines = ("format",), "begin the file with these lines"
    text = "\n".join(f"{_INDENT}{line}".rstrip() for line in _lines(document))
    return Problem(
        place,
        f"{what} of format 1, and this version reads {FORMAT}; {delete}, leave all other sections"
        f" as they are, and {lines}:\n\n{text}\n",
    )


def wrong_number(given: object) -> Problem | None:
    """Say what is wrong with the number of a format, if anything, in a file that is not of 1."""
    place = ("format",)
    if given is None:
        return Problem(place, f"missing; begin the file with format = {FORMAT}")
    if type(given) is not int:
        return Problem(place, wrong_type(given, "an integer"))
    return None if given == FORMAT else Problem(place, f"unknown format {given}; use {FORMAT}")


def _is_old(name: str, document: Document) -> bool:
    """Tell whether a section is of format 1, and no misspelt [sources.NAME]."""
    section = document.get(name)
    holds_tables = isinstance(section, dict) and dict in map(type, section.values())
    return name in document and not (name == "source" and holds_tables)


def _lines(document: Document) -> Iterator[str]:
    """Write what says in this format what a file of format 1 says of its source."""
    source, dimensions, measures = (
        section if isinstance(section := document.get(name), dict) else {}
        for name in ("source", "dimensions", "measures")
    )
    columns: dict[str, dict[str, object]] = {
        "dimensions": {
            name: one.get("column") if isinstance(one, dict) else one
            for name, one in dimensions.items()
        },
        "measures": {name: name for name in measures},
    }
    sources = document.get("sources")
    if isinstance(sources, dict) and sources:
        yield from _table(("sources", next(iter(sources)), "dimensions"), columns["dimensions"])
        return
    if document.get("format") != FORMAT:
        yield from (f"format = {FORMAT}", "")
    table = source.get("table")
    yield from _source(("sources", table if isinstance(table, str) else "NAME"), source, columns)


def _source(place: Place, source: Document, columns: dict[str, dict[str, object]]) -> Iterator[str]:
    yield f"[{dotted(place)}]"
    if source.get("schema", "public") != "public":
        yield f"schema = {_value(source['schema'])}"
    for key in ("account", "name", "time", "time_type"):
        yield f"{key} = {_value(source.get(key))}"
    named = {key: found for key, found in columns.items() if found}
    inline = {key: f"{key} = {{ {', '.join(_entries(found))} }}" for key, found in named.items()}
    yield from (line for line in inline.values() if len(line) <= _WIDTH)
    for key in (key for key, line in inline.items() if len(line) > _WIDTH):
        yield ""
        yield from _table((*place, key), named[key])


def _table(place: Place, columns: dict[str, object]) -> Iterator[str]:
    yield f"[{dotted(place)}]"
    yield from _entries(columns)


def _entries(columns: dict[str, object]) -> Iterator[str]:
    return (f"{dotted((name,))} = {_value(column)}" for name, column in columns.items())


def _value(value: object) -> str:
    """Write a text as TOML does; what is missing or no text is left to the reader."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else '"..."'
