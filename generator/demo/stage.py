"""How the demo looks: numbered steps, each with its time, a table and two charts."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from generator.bars import bar
from generator.demo.wording import seconds
from generator.escaping import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, RenderableType

WIDTH = 80
INDENT = 3


class Step:
    """A step that goes on: how far it is, and what it has to say when it is over."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)
        self.findings: list[RenderableType] = []

    def expect(self, total: float) -> None:
        """Say how much there is to do; until then nothing but motion is shown."""
        self._progress.update(self._task, total=total)

    def advance(self, by: float) -> None:
        """Say that so much more is done."""
        self._progress.advance(self._task, by)

    def say(self, *findings: RenderableType) -> None:
        """Keep lines, or what else can be printed, for the end of the step."""
        self.findings += findings


class Stage:
    """Prints steps to a console: with progress on a terminal, in plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Begin the next step; when it is over, print its title, its time and its findings."""
        self._number += 1
        number = f"{self._number}".ljust(INDENT)
        with Progress(
            TextColumn(f"{number}[bold]{{task.description}}"),
            BarColumn(30),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        ) as progress:
            step = Step(progress, title)
            start = time.perf_counter()
            yield step
            took = seconds(time.perf_counter() - start)
        dots = " " * (WIDTH - INDENT - len(title) - len(took))
        self.say(Text.assemble((number, "cyan"), (title, "bold"), dots, (took, "cyan")))
        for finding in step.findings:
            is_line = isinstance(finding, str) and finding
            self.say(f"{' ' * INDENT}{finding}" if is_line else finding)
        self.say("")

    def say(self, line: RenderableType, style: str | None = None) -> None:
        """Print a line, in which nothing is markup, or something else."""
        self._console.print(
            visible_line(line) if isinstance(line, str) else line,
            style=style,
            markup=False,
            highlight=False,
            soft_wrap=isinstance(line, str) or None,  # what is to be copied stays in one piece
        )

    def bar(self, part: float, width: int) -> str:
        """Draw a bar as long as a part, from 0 to 1, of a width."""
        return bar(part, width, self._console)

    def columns(self, values: Sequence[int], height: int) -> list[str]:
        """Draw numbers as columns, side by side, whose highest has so many lines."""
        steps = " #" if self._console.options.ascii_only else " ▁▂▃▄▅▆▇█"
        full = len(steps) - 1
        top = max((*values, 1))
        heights = [round(value / top * height * full) for value in values]
        return [
            "".join(steps[min(max(one - line * full, 0), full)] for one in heights).rstrip()
            for line in reversed(range(height))
        ]


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[str] = ()
) -> Padding:
    """Lay out rows below the names of their columns, which are to the right but for some."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        grid.add_column(column, justify="left" if column in left else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(cell) for cell in row))
    return Padding.indent(grid, INDENT)
