"""Tables that fit a terminal: cells broken between words or, where that is not enough, stacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP = 2
"""Blanks between two columns."""


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> Table | Group:
    """Lay rows out in so many columns of characters; no word and no number is ever broken.

    Text is broken between words, the widest column first. Where even the longest words do not fit
    beside each other, each row becomes a few lines of cells that are named.
    """
    widths = _widths(columns, rows, numeric, width)
    if widths is None:
        return _stacked(columns, rows, width)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column, is_numeric, own in zip(columns, numeric, widths, strict=True):
        side = "right" if is_numeric else "left"
        grid.add_column(column, justify=side, width=own, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        grid.add_row(*row)
    return grid


def room(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> int:
    """Tell how many characters are left for one more column beside these."""
    natural = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    return width - sum(natural) - GAP * len(natural)


def _widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> list[int] | None:
    """Find the width of each column, or that the longest words do not fit side by side."""
    natural, least = [], []
    for index, header in enumerate(columns):
        cells = [row[index] for row in rows]
        widest = max(map(cell_len, cells), default=0)
        word = widest if numeric[index] else max((*map(_longest_word, cells), 0))
        natural.append(max(widest, cell_len(header)))
        least.append(max(word, _longest_word(header)))
    free = width - GAP * (len(columns) - 1)
    if sum(least) > free:
        return None
    while sum(natural) > free:
        wide = [index for index in range(len(columns)) if natural[index] > least[index]]
        natural[max(wide, key=natural.__getitem__)] -= 1
    return natural


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _stacked(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Group:
    """Write each row as its cells one after the other, each behind its column's name."""
    return Group(*(line for row in rows for line in _packed(columns, row, width)))


def _packed(columns: Sequence[str], row: Sequence[str], width: int) -> Iterator[Text]:
    """Fill lines with named cells, those after the first indented; empty cells are left out."""
    line = Text(overflow="fold")
    for column, cell in zip(columns, row, strict=True):
        if cell in ("", "-"):
            continue
        named = Text.assemble((f"{column} " if column else "", "bold"), cell)
        if line and line.cell_len + GAP + named.cell_len > width:
            yield line
            line = Text(" " * GAP, overflow="fold")
        elif line:
            line.append(" " * GAP)
        line.append_text(named)
    yield line
