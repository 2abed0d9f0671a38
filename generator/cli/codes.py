"""The exit codes of all commands, and the way in which every command ends."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, NoReturn

import click

from generator.escaping import visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

WELL = 0
ERROR = 1
"""An error, wrong usage included; also, without a message, where the output is closed early."""
DIFFERENT = 2
"""There is a difference, or something to do."""
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM has come: the command ends as after Ctrl-C, with another exit code."""


class Commands(click.Group):
    """Commands that end with the codes of this module, wrong usage and interrupts included."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **others: Any
    ) -> Any:
        """Run a command and exit."""
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **others)
        try:
            code = super().main(args, standalone_mode=False, **others)
            sys.stdout.flush()
        except click.ClickException as error:
            shown = StringIO()
            error.show(shown)
            click.echo(visible_text(shown.getvalue()), err=True, nl=False)
            sys.exit(ERROR)
        except click.Abort as abort:
            click.echo("Aborted!", err=True)
            sys.exit(code_of(abort.__cause__ or abort.__context__))
        except BrokenPipeError:
            _discard_output()
            sys.exit(ERROR)
        sys.exit(code if isinstance(code, int) else WELL)


def code_of(cause: BaseException | None) -> int:
    """Give the exit code of a command that has been interrupted by this."""
    return TERMINATED if isinstance(cause, Terminated) else INTERRUPTED


def heed_termination() -> None:
    """Let SIGTERM end a command as Ctrl-C does: the statement is cancelled, what is done stays."""
    signal.signal(signal.SIGTERM, _terminate)


@contextmanager
def endless(is_endless: object) -> Iterator[None]:
    """Make an interrupt the normal end of a command that goes on until then, and say so."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if not is_endless:
            raise
        is_terminated = isinstance(interrupt, Terminated)
        end = "terminated" if is_terminated else "interrupted"
        click.echo(f"{end}; what is done is kept", err=True)
        if is_terminated:
            sys.exit(TERMINATED)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _discard_output() -> None:
    """Keep the interpreter from complaining, at its end, of output that cannot be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
