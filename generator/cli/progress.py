"""Progress of long work: a bar on a terminal, a line a step elsewhere, both with what is left."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from rich import progress

from generator.cli.console import err, note
from generator.escaping import visible

if TYPE_CHECKING:
    from types import TracebackType


class Progress:
    """Shows how many of `total` events are done, in so many steps."""

    def __init__(self, *, total: int, of: int) -> None:
        self._total, self._steps = total, of
        self._events = self._step = 0
        self._began = time.monotonic()
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TextColumn("{task.completed:,.0f} of {task.total:,.0f} events"),
            progress.TimeRemainingColumn(),
            console=err,
            disable=not err.is_terminal,
        )
        self._task = self._bar.add_task("backfill", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def advance(self, what: str, line: str, events: int) -> None:
        """Show that a step is done: briefly what, on a terminal; in a line of its own elsewhere."""
        self._step += 1
        self._events += events
        self._bar.update(self._task, advance=events, description=visible(what))
        if not err.is_terminal:
            note(f"{self._step}/{self._steps} {line}{self._left()}")

    def _left(self) -> str:
        if not 0 < self._events < self._total:
            return ""
        seconds = (time.monotonic() - self._began) * (self._total - self._events) / self._events
        return f", {timedelta(seconds=round(seconds))} left"
