"""The one module that prints and exits: errors, tables, and progress on terminals and elsewhere."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import click
import psycopg
from rich.console import Console

from generator.cli import layout
from generator.cli.codes import ERROR
from generator.cli.sentences import wrapped
from generator.errors import RollupError
from generator.escaping import visible, visible_line, visible_lines, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_plain = partial(Console, markup=False, emoji=False, highlight=False, soft_wrap=True)

out = _plain()
err = _plain(stderr=True)
_wide = _plain(width=10_000)  # for tables that go into a file or a pipe: a row is a line
_wide_aside = _plain(stderr=True, width=10_000)


@contextmanager
def errors() -> Iterator[None]:
    """Print what a user can mend as `error: ...`, with what to do about it, and exit with 1.

    That is our own errors and those that the database reports. Anything else is a bug, and shows
    its traceback.
    """
    try:
        yield
    except RollupError as error:
        fail(str(error), error.hint)
    except psycopg.Error as error:
        message = error.diag.message_primary or str(error).strip()
        detail = error.diag.message_detail
        hint = error.diag.message_hint or _ADVICE.get(error.sqlstate or "")
        fail(f"{message}\n{detail}" if detail else message, hint)


_DEPLOY = "run `python -m generator deploy` first"
_ADVICE = {
    # character_not_in_repertoire; the server checks what it sends, too
    "22021": "a text in this SQL_ASCII database is not UTF-8, so no command can show it; totals "
    "count it all the same, and SELECT rollup.rebuild() mends them",
    "3F000": _DEPLOY,  # invalid_schema_name
    "42501": "run it as the owner of the tables, or as a member of it",  # insufficient_privilege
    "42883": _DEPLOY,  # undefined_function
    "42P01": _DEPLOY,  # undefined_table
    "55P03": "another session holds the lock for long; try again later",  # lock_not_available
}


def fail(message: str, hint: str | None = None, code: int = ERROR) -> NoReturn:
    """Print an error and exit, with 1 unless told otherwise."""
    _print(err, visible_lines(f"error: {message}"), style="red")
    if hint:
        _print(err, visible_lines(f"hint: {hint}"))
    sys.exit(code)


def say(line: str = "", *, style: str | None = None) -> None:
    """Print a line of the answer; on a terminal it is broken between words."""
    _print(out, visible_line(line), style=style)


def say_as_is(text: str, *, style: str | None = None) -> None:
    """Print a text whose line breaks and indents are its own: a difference, or what is copied."""
    out.print(visible_text(text), style=style)


def complain(text: str) -> None:
    """Print what is wrong with the use of a command; its line breaks are its own."""
    _print(err, visible_text(text))


def note(line: str) -> None:
    """Print a line about the work, which is not part of the answer."""
    _print(err, visible_line(line), style="dim")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    right: Sequence[str] = (),
    *,
    aside: bool = False,
) -> None:
    """Print rows as a table, numbers and the columns `right` to the right; nothing is cut off.

    On a terminal it fits the width; elsewhere each row is one line, however long. One that is no
    part of the answer, such as what a question is about, goes `aside`, to stderr.
    """
    rows = [list(row) for row in rows]
    numeric = [
        name in right or any(_is_number(row[index]) for row in rows)
        for index, name in enumerate(columns)
    ]
    cells = [[_shown(value) for value in row] for row in rows]
    where, wide = (err, _wide_aside) if aside else (out, _wide)
    console = where if where.is_terminal else wide
    console.print(layout.table(columns, cells, numeric, console.width), soft_wrap=False)


def room(columns: Sequence[str], rows: Iterable[Sequence[object]], most: int) -> int:
    """Give the width that a terminal has left beside a table, `most` at most."""
    cells = [[_shown(value) for value in row] for row in rows]
    left = layout.room(columns, cells, out.width) if out.is_terminal else most
    return max(0, min(most, left))


def as_json(value: object) -> None:
    """Print a value as JSON; dates and the like as text, and "NaN" and "Infinity", too."""
    click.echo(json.dumps(_finite(value), indent=2, default=str, allow_nan=False))


def _finite(value: object) -> object:
    """Write as text the numbers that JSON has not."""
    match value:
        case float() if not math.isfinite(value):
            return {"nan": "NaN", "inf": "Infinity"}.get(str(value), "-Infinity")
        case dict():
            return {key: _finite(one) for key, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
    return value


def _print(console: Console, text: str, *, style: str | None = None) -> None:
    """Print lines, broken between words where a terminal ends; elsewhere they stay whole."""
    if console.is_terminal:
        text = "\n".join(wrapped(line, console.width) for line in text.split("\n"))
    console.print(text, style=style)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if type(value) is int and abs(value) > 9999:
        return f"{value:,}".replace(",", " ")
    return visible(str(value))
