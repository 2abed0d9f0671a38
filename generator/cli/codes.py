"""The exit codes of all commands, and how an interrupt leads to one."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Iterator
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
