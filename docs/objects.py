"""What a reference says of the objects in the database, as read from the SQL that makes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pglast
from pglast import ast
from pglast.enums import ObjectType
from pglast.stream import RawStream

from generator.deploy.migrate import folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.render.objects import Rendered

Kind = Literal["function", "procedure", "view", "table", "type", "trigger"]

SHORT = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "timestamp(6) without time zone": "timestamp(6)",
}

# What a view works out, and so no table tells the type of. A test asks the server.
WORKED_OUT = {
    "event": "text",
    "kind": "text",
    "alias": "text",
    "report": "text",
    "is_average": "boolean",
    "is_distinct": "boolean",
    "excluded_event": "text",
    "excluded_metric": "text",
    "state": "text",
    "pending_events": "bigint",
    "covered_but_for_gaps": "datemultirange",
    "is_deployed": "boolean",
    "missing": "datemultirange",
    "change": "text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table, view or type; the comment is empty where there is none."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An object, and all that its SQL says of it."""

    kind: Kind
    name: str
    comment: str
    columns: tuple[Column, ...] = ()
    signature: str = ""
    text: tuple[str, ...] = ()
    """The paragraphs at the head of a function's body."""
    is_for_owner: bool = False
    table: str = ""


def described(rendered: Sequence[Rendered]) -> list[Described]:
    """Describe the tables of the migrations and every rendered object."""
    found = [_table(statements) for statements in _migrated()]
    found += [_table(pglast.parse_sql(one.text)) for one in rendered if one.kind == "table"]
    types = WORKED_OUT | {
        column.name: column.type for table in reversed(found) for column in reversed(table.columns)
    }
    for one in rendered:
        if one.kind == "function":
            found.append(_routine(one))
        elif one.kind == "view":
            found.append(_view(one, types))
        elif one.kind == "type":
            found.append(_type(one))
        elif one.kind == "trigger":
            comment = _comments(pglast.parse_sql(one.text))[ObjectType.OBJECT_TRIGGER.name]
            table = one.table or ""
            found.append(Described(kind="trigger", name=one.name, comment=comment, table=table))
    return found


def _migrated() -> list[list[ast.RawStmt]]:
    """Give, for each table that migrations create, the statements about it and its columns."""
    tables: dict[str, list[ast.RawStmt]] = {}
    files = [path for path in sorted(folder().glob("*.sql")) if ".rollback." not in path.name]
    for raw in (one for path in files for one in pglast.parse_sql(path.read_text())):
        match raw.stmt:
            case ast.CreateStmt(relation=relation) | ast.AlterTableStmt(relation=relation):
                tables.setdefault(relation.relname, []).append(raw)
            case ast.CommentStmt(objtype=ObjectType.OBJECT_TABLE | ObjectType.OBJECT_COLUMN):
                tables[raw.stmt.object[1].sval].append(raw)
    return list(tables.values())


def _comments(statements: Sequence[ast.RawStmt]) -> dict[str, str]:
    """Collect comments, by the name of a column or else by the type of object."""
    found = {}
    for raw in statements:
        if isinstance(raw.stmt, ast.CommentStmt):
            is_column = raw.stmt.objtype == ObjectType.OBJECT_COLUMN
            key = raw.stmt.object[-1].sval if is_column else ObjectType(raw.stmt.objtype).name
            found[key] = raw.stmt.comment or ""
    return found


def _table(statements: Sequence[ast.RawStmt]) -> Described:
    comments = _comments(statements)
    columns: dict[str, Column] = {}
    name = ""
    for raw in statements:
        if isinstance(raw.stmt, ast.CreateStmt):
            name = f"{raw.stmt.relation.schemaname}.{raw.stmt.relation.relname}"
            definitions = raw.stmt.tableElts
        elif isinstance(raw.stmt, ast.AlterTableStmt):
            definitions = [command.def_ for command in raw.stmt.cmds]
        else:
            continue
        for one in definitions:
            if not isinstance(one, ast.ColumnDef):
                continue
            comment = comments.get(one.colname, "")
            column = Column(name=one.colname, type=_type_name(one.typeName), comment=comment)
            columns.setdefault(one.colname, column)
    return Described(
        kind="table",
        name=name,
        comment=comments[ObjectType.OBJECT_TABLE.name],
        columns=tuple(columns.values()),
    )


def _view(one: Rendered, types: dict[str, str]) -> Described:
    statements = pglast.parse_sql(one.text)
    view = statements[0].stmt
    columns = []
    query = view.query
    while query.larg is not None:  # the first arm of a UNION names its columns
        query = query.larg
    for target in query.targetList:
        name = target.name or target.val.fields[-1].sval
        is_cast = isinstance(target.val, ast.TypeCast)
        type_ = _type_name(target.val.typeName) if is_cast else types[name]
        columns.append(Column(name=name, type=type_))
    comment = _comments(statements)[ObjectType.OBJECT_VIEW.name]
    return Described(kind="view", name=one.name, comment=comment, columns=tuple(columns))


def _type(one: Rendered) -> Described:
    statements = pglast.parse_sql(one.text)
    columns = tuple(
        Column(name=column.colname, type=_type_name(column.typeName))
        for column in statements[0].stmt.coldeflist
    )
    comment = _comments(statements)[ObjectType.OBJECT_TYPE.name]
    return Described(kind="type", name=one.name, comment=comment, columns=columns)


def _routine(one: Rendered) -> Described:
    statements = pglast.parse_sql(one.text)
    is_procedure = bool(statements[0].stmt.is_procedure)
    kind = ObjectType.OBJECT_PROCEDURE if is_procedure else ObjectType.OBJECT_FUNCTION
    body = one.text.split("/*\n", 1)[1].split("*/", 1)[0]
    lines = [re.sub(r"^ \* ?", "", line) for line in body.splitlines()]
    paragraphs = re.split(r"\n\n+", "\n".join(lines).strip())
    return Described(
        kind="procedure" if is_procedure else "function",
        name=one.name,
        comment=_comments(statements)[kind.name],
        signature=_signature(one),
        text=tuple(" ".join(paragraph.split()) for paragraph in paragraphs),
        is_for_owner=one.is_closed,
    )


def _signature(one: Rendered) -> str:
    """Lay out name, parameters and result, as short as SQL allows."""
    head = one.text.split("\n LANGUAGE ", 1)[0]
    for long, short in SHORT.items():
        head = head.replace(long, short)
    head = re.sub(r"(NULL|'\w+')::[\w ]+(?:\[\])?(?=[,)])", r"\1", head)
    [(name, parameters, result)] = re.findall(
        r"^CREATE OR REPLACE \w+ ([^(]+)\((.*?)\)(?:\n RETURNS (.*))?$", head, re.DOTALL
    )
    inside = [part.removeprefix("IN ") for part in _split(parameters)]
    line = f"{name}({', '.join(inside)})"
    if len(line) > 90:
        line = f"{name}(\n    " + ",\n    ".join(inside) + "\n)"
    if not result:
        return line
    returned = f"RETURNS {result}"
    if len(returned) > 90 and (table := re.fullmatch(r"RETURNS TABLE\((.*)\)", returned)):
        returned = "RETURNS TABLE(\n    " + ",\n    ".join(_split(table[1])) + "\n)"
    return f"{line}\n{returned}"


def _split(parameters: str) -> list[str]:
    return [part for part in re.split(r", (?![^()]*\))", parameters) if part]


def _type_name(node: ast.TypeName) -> str:
    written = str(RawStream()(node)).removeprefix("pg_catalog.")  # type: ignore[no-untyped-call]
    return SHORT.get(written, written)
