"""The way in which every command ends."""

from __future__ import annotations

import os
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from generator.cli.codes import ERROR, WELL, code_of
from generator.cli.console import complain

if TYPE_CHECKING:
    from collections.abc import Sequence


class Commands(click.Group):
    """Commands that end with the codes of all commands, wrong usage and interrupts included."""

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
            complain(shown.getvalue().removesuffix("\n"))
            sys.exit(ERROR)
        except click.Abort as abort:
            click.echo("Aborted!", err=True)
            sys.exit(code_of(abort.__cause__ or abort.__context__))
        except BrokenPipeError:
            _discard_output()
            sys.exit(ERROR)
        sys.exit(code if isinstance(code, int) else WELL)


def _discard_output() -> None:
    """Keep the interpreter from complaining, at its end, of output that cannot be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
