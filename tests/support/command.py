"""Running the command line: in this process, or on a terminal of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click
from click.testing import CliRunner

from generator.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from click.testing import Result

PATIENCE = 30.0  # seconds, after which a test has failed
PAUSE = 0.02  # seconds

NOWHERE = dict.fromkeys(
    ("DATABASE_URL", "PGDATABASE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGUSER")
)
"""Of the environment, what would name a database: not to be seen by commands."""


def run(*arguments: str, on: str | None = None, **environment: str) -> Result:
    """Run a command, on a database if one is given; whatever is a bug is raised."""
    named = ["--database-url", on] if on is not None else []
    runner = CliRunner(env={**NOWHERE, **environment})
    return runner.invoke(cli, [*arguments, *named], catch_exceptions=False)


def succeed(*arguments: str, on: str | None = None) -> str:
    """Run a command that has nothing to complain about, and return what it prints."""
    done = run(*arguments, on=on)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def fail(*arguments: str, on: str | None = None, status: int = 1) -> str:
    """Run a command that fails as it should, and return its error and hint."""
    done = run(*arguments, on=on)
    assert done.exit_code == status, done.output
    assert "Traceback" not in done.output
    assert "rror: " in done.stderr
    return done.stderr


def options(words: Sequence[str]) -> set[str]:
    """List the options that the command has which words on a command line begin with."""
    command: click.Command = cli.commands[words[0]]
    if isinstance(command, click.Group) and words[1:2] and words[1] in command.commands:
        command = command.commands[words[1]]
    return {"--help", *(option for param in command.params for option in param.opts)}


class Terminal:
    """A command on a terminal: what it shows, and what is typed there."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.shown = ""
        self._master = master

    def until(self, text: str) -> Self:
        """Read on until a text is shown."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert self._read(deadline), f"{text!r} is not shown, but:\n{self.shown}"
        return self

    def type(self, keys: str) -> Self:
        """Type keys, a line's last being Enter, and forget what was shown before.

        Only once the command sleeps, waiting for them: a Ctrl-C on its way there can go unnoticed.
        """
        deadline = time.monotonic() + PATIENCE
        while self._is_running():
            assert time.monotonic() < deadline, f"it waits for no key, but shows:\n{self.shown}"
            time.sleep(PAUSE)
        self.shown = ""
        os.write(self._master, keys.encode())
        return self

    def end(self) -> int:
        """Read on until the command has ended, and return its exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def _is_running(self) -> bool:
        """Say whether it is busy, as far as Linux tells."""
        state = Path(f"/proc/{self.process.pid}/stat")
        return state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "R"

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"nothing more is shown than:\n{self.shown}"
        try:
            piece = os.read(self._master, 4096)
        except OSError:  # how Linux says that the other side has been closed
            return False
        self.shown += piece.decode()
        return bool(piece)


@contextmanager
def terminal(
    *arguments: str, on: str, columns: int = 120, stdout: Path | None = None
) -> Iterator[Terminal]:
    """Start a command on a terminal, 120 columns wide unless told otherwise.

    With `stdout` the answer goes into that file, and the terminal shows the rest.
    """
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (40, columns))
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {*NOWHERE, "COLUMNS", "LINES"}
    }
    with (
        stdout.open("w") if stdout else nullcontext(slave) as answer,
        subprocess.Popen(
            [sys.executable, "-m", "generator", *arguments, "--database-url", on],
            stdin=slave,
            stdout=answer,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
            env={**environment, "TERM": "xterm"},
        ) as process,
    ):
        os.close(slave)
        try:
            yield Terminal(process, master)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            os.close(master)


def plain_lines(shown: str) -> list[str]:
    """Give the lines of what a terminal was sent, without colours and blanks at their ends."""
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()]


def _take_terminal() -> None:
    """Make standard input the process's own terminal, so that Ctrl-C reaches it."""
    os.close(os.open(os.ttyname(0), os.O_RDWR))
