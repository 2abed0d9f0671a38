"""Text of others as a terminal, a log and a spreadsheet may have it: no character acts there."""

from __future__ import annotations

import re
import unicodedata

_FORMULA = re.compile(r"[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
"""What a cell begins with that a spreadsheet calculates instead of showing it."""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

_ACTING = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Categories of characters that are not shown but act, such as escapes and bidi overrides."""

_HARMLESS = frozenset("\u200c\u200d")
"""Joiners, which some scripts need between letters."""


def visible(text: str) -> str:
    r"""Show what would act on a terminal, line breaks included, as an escape: ESC as `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(one) if _acts(one) else one for one in text)


def visible_lines(text: str) -> str:
    """Show a text of several lines; those after the first are indented, so none is forged."""
    first, *others = map(visible_line, text.split("\n"))
    return "\n".join((first, *(one if one[:1] in ("", " ") else f"  {one}" for one in others)))


def visible_text(text: str) -> str:
    """Show a text whose lines are kept as they are: a difference of files."""
    return "\n".join(map(visible_line, text.split("\n")))


def cell(value: object) -> object:
    """Give a cell of CSV: text that would be calculated begins with an apostrophe."""
    if not isinstance(value, str):
        return value
    is_formula = _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{visible(value)}" if is_formula else visible(value)


def visible_line(text: str) -> str:
    """Show a line: tabs stay, a line break in it does not."""
    return "\t".join(map(visible, text.split("\t")))


def _acts(character: str) -> bool:
    return unicodedata.category(character) in _ACTING and character not in _HARMLESS


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
