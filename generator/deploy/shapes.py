"""The tables of our schema as migrations and rendering make them: read from that SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from generator.deploy import migrate
from generator.render.objects import rendered_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.database.connection import Connection
    from generator.registry import Registry

_PRINTED = {"timestamptz": "timestamp with time zone"}

_NAME = r'("(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
_CREATED = re.compile(rf"^CREATE TABLE IF NOT EXISTS rollup\.{_NAME} \(\n(.*?)\n\)", re.M | re.S)
_ALTERED = re.compile(rf"^ALTER TABLE rollup\.{_NAME}\n(    ADD COLUMN.*?);$", re.M | re.S)
_INDEXED = re.compile(
    rf"^CREATE UNIQUE INDEX IF NOT EXISTS {_NAME} ON rollup\.{_NAME} \(([^)]*)\);$", re.M
)
_COLUMN = re.compile(
    rf"{_NAME} (.+?)((?: NOT NULL| PRIMARY KEY| GENERATED ALWAYS AS IDENTITY| DEFAULT .+)*)"
)
_DEFAULT = re.compile(r" DEFAULT (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as its table was made."""

    type: str
    """As format_type() names it."""
    is_required: bool
    """Whether it is NOT NULL."""
    default: str | None
    is_identity: bool
    definition: str
    """All that follows its name in SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A table of ours as it was made; columns by their names, all unquoted."""

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    """The columns of its primary key, or else of its unique index, or none."""
    is_rendered: bool = False
    """Whether the registry says which columns it has, which deploy then adds."""


def known(session: Connection, registry: Registry) -> tuple[dict[str, Shape], bool]:
    """Give the shapes of the tables of our schema, as far as migrations are applied.

    Tells as well whether that is known: where this role may not read it, all are taken for applied.
    """
    applied = migrate.applied(session)
    tables = [one.text for one in rendered_tables(registry)]
    shapes = read(applied or migrate.texts()) | read(tables, are_rendered=True)
    return shapes, applied is not None


def read(texts: Iterable[str], *, are_rendered: bool = False) -> dict[str, Shape]:
    """Read what SQL in our style makes in our schema, by the unquoted names of the tables."""
    shapes: dict[str, Shape] = {}
    for text in texts:
        for name, body in _CREATED.findall(text):
            shape = Shape(name=_unquoted(name), is_rendered=are_rendered)
            shapes[shape.name] = shape
            for line in body.splitlines():
                _add(shape, line.strip().removesuffix(","))
        for name, body in _ALTERED.findall(text):
            for line in body.splitlines():
                added = line.strip().removesuffix(",")
                _add(shapes[_unquoted(name)], added.removeprefix("ADD COLUMN IF NOT EXISTS "))
        for _, name, key in _INDEXED.findall(text):
            shapes[_unquoted(name)].key.extend(map(_unquoted, key.split(", ")))
    return shapes


def _add(shape: Shape, line: str) -> None:
    if line.startswith("CHECK "):
        shape.checks.append(line)
    elif line.startswith("PRIMARY KEY ("):
        names = line.removeprefix("PRIMARY KEY (").removesuffix(")")
        shape.key.extend(map(_unquoted, names.split(", ")))
    else:
        _add_column(shape, line)


def _add_column(shape: Shape, line: str) -> None:
    found = _COLUMN.fullmatch(line)
    if found is None:
        raise ValueError(f"not a column of {shape.name}: {line!r}")
    name, type_, rest = found.groups()
    default = _DEFAULT.search(rest)
    is_identity = "GENERATED" in rest
    shape.columns[_unquoted(name)] = Column(
        type=_PRINTED.get(type_, type_),
        is_required="NOT NULL" in rest or "PRIMARY KEY" in rest or is_identity,
        default=default[1] if default else None,
        is_identity=is_identity,
        definition=f"{type_}{rest}".replace(" PRIMARY KEY", ""),
    )
    if "PRIMARY KEY" in rest:
        shape.key.append(_unquoted(name))


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
