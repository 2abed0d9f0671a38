"""Sentences that fit a terminal: broken between words, each line after the first indented."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterator

HANG = 2
"""How much further than the first the other lines are indented: so none can be taken for a new one,
whatever it begins with."""

_COMMAND = r"python -m generator(?: (?:--?)?[\w-]+)+"
_PIECES = re.compile(rf"`[^`]+`\S*|{_COMMAND}\S*|\S+")
"""What is not to be broken: words and, where they fit on a line, commands, which are copied."""


def wrapped(line: str, width: int) -> str:
    """Break a line between words so that it fits; a longer word stays in one piece."""
    text = line.lstrip(" ")
    indent = len(line) - len(text)
    if cell_len(line) <= width or indent + HANG >= width:
        return line
    return "\n".join(_lines(text, indent, width))


def _lines(text: str, indent: int, width: int) -> Iterator[str]:
    hang = " " * (indent + HANG)
    line = " " * indent
    is_empty = True
    for piece in _pieces(text, width - len(hang)):
        if not is_empty and cell_len(line) + 1 + cell_len(piece) > width:
            yield line
            line, is_empty = hang, True
        line += piece if is_empty else f" {piece}"
        is_empty = False
    yield line


def _pieces(text: str, room: int) -> Iterator[str]:
    for piece in _PIECES.findall(text):
        yield from [piece] if cell_len(piece) <= room else piece.split()
