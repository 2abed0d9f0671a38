"""Questions on a terminal. They go to stderr: stdout holds the answer of a command alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence


def can_ask() -> bool:
    """Tell whether a question is seen and can be answered, wherever stdout goes."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_confirmed(question: str) -> bool:
    """Ask a question that is answered by yes or, by default, no."""
    while True:
        match _typed(f"{question} [y/N]: ").lower():
            case "y" | "yes":
                return True
            case "n" | "no" | "":
                return False
        click.echo("Error: invalid input", err=True)


def require_confirmation(question: str) -> None:
    """Ask a question, and end the command unless the answer is yes."""
    if not is_confirmed(question):
        raise click.Abort


def chosen(question: str, choices: Sequence[str], default: str) -> str:
    """Ask which of the choices it is to be, until the answer is one of them."""
    while True:
        answer = _typed(f"{question} [{default}]: ") or default
        if answer in choices:
            return answer
        click.echo(f"Error: {answer!r} is not one of {', '.join(choices)}.", err=True)


def _typed(prompt: str) -> str:
    """Read a line. Not by input(), which writes a prompt to stdout where that is no terminal."""
    click.echo(prompt, err=True, nl=False)
    try:
        line = sys.stdin.readline()
    except KeyboardInterrupt as interrupt:
        click.echo(err=True)
        raise click.Abort from interrupt
    if not line:
        click.echo(err=True)
        raise click.Abort
    return line.strip()
