"""Bars of blocks, for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.bar import Bar

if TYPE_CHECKING:
    from rich.console import Console


def bar(part: float, width: int, console: Console) -> str:
    """Draw a bar as long as a part, up to 1, of a width; one that is not above 0 has no length.

    It ends in the nearest eighth of a block or, where the console cannot show these, is of `#`.
    """
    if console.options.ascii_only:
        return "#" * round(part * width)
    eighths = 8 * width
    drawn = console.render(Bar(eighths, 0, round(part * eighths), width=width))
    return next(iter(drawn)).text.rstrip()
