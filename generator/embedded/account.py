"""Whom the server's processes run as: ourselves or, since PostgreSQL refuses root, another."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.embedded.errors import OWN_SERVER, EmbeddedServerError

if sys.platform != "win32":  # the wheel has nothing for Windows, so this is never reached there
    import pwd

if TYPE_CHECKING:
    from pathlib import Path

FOR_ROOT = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The operating system's account of the server.

    `user`, `group` and `groups` are those of `subprocess.Popen`: None where nothing is switched.
    """

    name: str
    user: int | None = None
    group: int | None = None
    groups: list[int] | None = None

    @classmethod
    def choose(cls, data: Path) -> Account:
        """Return the account that serves the data in a folder, which need not exist yet.

        Raises EmbeddedServerError where this process cannot run a server under any account.
        """
        uid = os.geteuid()
        if uid != 0:
            return cls(name=_name(uid))
        if data.exists():
            owner = data.stat()
            return cls(name=_name(owner.st_uid), user=owner.st_uid, group=owner.st_gid, groups=[])
        for name in FOR_ROOT:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(name=name, user=entry.pw_uid, group=entry.pw_gid, groups=[])
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root, and there is no account postgres or nobody",
            hint=f"run as an ordinary user, {OWN_SERVER}",
        )

    @property
    def is_switched(self) -> bool:
        """Say whether the server runs as another account than this process."""
        return self.user is not None

    def own(self, path: Path) -> None:
        """Make a file or folder, which must be one that we have just made, the account's own."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account; its output and errors come as one text.

        Raises OSError when the account cannot execute it.
        """
        return subprocess.run(
            command,
            user=self.user,
            group=self.group,
            extra_groups=self.groups,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env=environment(),
            check=False,
        )

    def can_enter(self, folder: Path) -> bool:
        """Say whether the account may use what is below a folder."""
        return self.run("/bin/sh", "-c", 'cd "$1"', "sh", folder).returncode == 0


def environment() -> dict[str, str]:
    """Return our environment without what would lead the server's programs astray."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**ours, "LC_ALL": "C"}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise EmbeddedServerError(
            f"the user id {uid} has no account on this system, which PostgreSQL insists on",
            hint=f"run as a user that has one, {OWN_SERVER}",
        ) from None
