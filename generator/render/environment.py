"""The templates' environment, in which nothing unquoted can become SQL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from jinja2.compiler import CodeGenerator, Frame

from generator.quoting import Sql, ident, literal, qualified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import nodes

TEMPLATES = Path(__file__).with_name("templates")


class _ConstantsAreSql(CodeGenerator):
    """Compiles the string constants of a template to Sql, because its author wrote them as SQL.

    So `{{ "," if not loop.last }}` and `{{ deltas("pending") }}` need no filter. An operator or a
    string method makes plain text of them again, which has to be quoted like any other.
    """

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802 (jinja's name)
        value = node.as_const(frame.eval_ctx)
        if isinstance(value, str):
            self.write(f"environment.sql({value!r})")
        else:
            super().visit_Const(node, frame)

    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:  # noqa: N802
        self.fail("a filter block prints what nothing has checked to be SQL", node.lineno)


class SqlEnvironment(Environment):
    """A jinja environment that prints Sql and whole numbers, and refuses everything else.

    What a macro, a `{% call %}` block or a template renders to is Sql in turn: it consists of
    template text and of what has passed finalize.
    """

    code_generator_class = _ConstantsAreSql
    sql = Sql

    @staticmethod
    def concat(parts: Iterable[str]) -> Sql:
        """Join what a template or macro has rendered."""
        return Sql("".join(parts))


def environment() -> Environment:
    """Make the environment of the templates in generator/render/templates.

    Its filters are `ident`, `literal` and `qualified` ({{ schema | qualified(table) }}). To
    interpolate anything unquoted is a TypeError, a name that does not exist an UndefinedError.
    """
    made = SqlEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        finalize=_finalize,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"ident": ident, "literal": literal, "qualified": qualified, "indent": _indent}
    made.filters["filled"] = _filled
    return made


def _finalize(value: object) -> str:
    """Let through what may be printed: see SqlEnvironment."""
    match value:
        case Sql():
            return value
        case bool():
            pass
        case int():
            return literal(value)
        case Undefined():  # an `if` without `else` prints nothing; a StrictUndefined raises
            return str(value)
    raise TypeError(f"not quoted: {value!r}; use the filter `ident` or `literal`")


def _indent(text: Sql, width: int = 4) -> Sql:
    """Shift the lines of SQL that come after the first, which stands where it is printed."""
    if not isinstance(text, Sql):
        raise TypeError(f"not SQL: {text!r}")
    return Sql(re.sub(r"\n(?!\n)", "\n" + " " * width, text.rstrip("\n")))


def listed(alias: Sql, names: Iterable[str]) -> Sql:
    """Write a list of an alias's columns, which fills lines."""
    return _filled(
        Sql(",\n".join(f"{alias}.{ident(name)}" if alias else ident(name) for name in names))
    )


def _filled(text: Sql, width: int = 88) -> Sql:
    """Let a list of one item a line fill lines; an item of several lines has its own."""
    if not isinstance(text, Sql):
        raise TypeError(f"not SQL: {text!r}")
    lines: list[str] = []
    is_open = False
    for item in re.split(r"\n(?! )", text.strip()):
        is_long = "\n" in item
        if is_open and not is_long and len(lines[-1]) + 1 + len(item) <= width:
            lines[-1] += f" {item}"
        else:
            lines.append(item)
        is_open = not is_long
    return Sql("\n".join(lines))
