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
    sections = " and ".join(f"[{name}]" for name in old)
    are, them = ("are", "them") if len(old) > 1 else ("is", "it")
    what = f"{sections} {are} of format 1, and this version reads {FORMAT}; delete {them}"
    sources = document.get("sources")
    if isinstance(sources, dict) and sources:
        return Problem((old[-1],), f"{what}, {_left(next(iter(sources)), document)}")
    keep = "leave all other sections as they are"
    text = "\n".join(f"{_INDENT}{line}".rstrip() for line in _lines(document))
    if given == FORMAT:
        return Problem((old[0],), f"{what}, {keep}, and end the file with these lines:\n\n{text}")
    begin = f"begin the file with these lines:\n\n{_INDENT}format = {FORMAT}\n\n{text}"
    return Problem(("format",), f"{what}, {keep}, and {begin}")


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


def _left(label: str, document: Document) -> str:
    """Say what is in place of sections of format 1 that are left beside those of this one."""
    if entries := ", ".join(_entries(_dimensions(document))):
        return f"and add to {dotted(('sources', label, 'dimensions'))}: {entries}"
    return f"because [{dotted(('sources', label))}] replaces [source] and [dimensions]"


def _lines(document: Document) -> Iterator[str]:
    """Write what says in this format what a file of format 1 says of its source."""
    source, measures = _section(document, "source"), _section(document, "measures")
    columns: dict[str, dict[str, object]] = {
        "dimensions": _dimensions(document),
        "measures": {name: name for name in measures},
    }
    table = source.get("table")
    yield from _source(("sources", table if isinstance(table, str) else "NAME"), source, columns)


def _dimensions(document: Document) -> dict[str, object]:
    return {
        name: one.get("column") if isinstance(one, dict) else one
        for name, one in _section(document, "dimensions").items()
    }


def _section(document: Document, name: str) -> Document:
    section = document.get(name)
    return section if isinstance(section, dict) else {}


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
        yield from ("", f"[{dotted((*place, key))}]", *_entries(named[key]))


def _entries(columns: dict[str, object]) -> Iterator[str]:
    return (f"{dotted((name,))} = {_value(column)}" for name, column in columns.items())


def _value(value: object) -> str:
    """Write a text as TOML does; what is missing or no text is left to the reader."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else '"..."'
