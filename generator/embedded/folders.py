"""Where the server lives, and where its socket does."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.embedded.account import Account

HOME_VARIABLE = "REPORTING_ROLLUPS_HOME"
NAME = "reporting-rollups"
PORT = 5432  # no port of the network: it names the socket
LONGEST_SOCKET = 103  # bytes; Linux would allow 107


def home() -> Path:
    """Return the user's own folder for embedded servers.

    Root's is not below its home, where the account that serves for root may not enter.
    """
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/var/lib") / NAME
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / NAME


def make(folder: Path) -> None:
    """Make a folder and those above it that are missing; leave the existing ones as they are."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def of_socket(base: Path) -> Path:
    """Return where the socket is: in `base/socket` or where that points to."""
    link = base / "socket"
    return link.readlink() if link.is_symlink() else link


def make_for_socket(base: Path, account: Account) -> Path:
    """Make the folder of the socket, elsewhere if the name of one in `base` would be unfit."""
    link = base / "socket"
    name = os.fsencode(link / f".s.PGSQL.{PORT}")
    if len(name) <= LONGEST_SOCKET and b"," not in name:  # a comma would separate two hosts
        link.mkdir(mode=0o700)
    else:
        link.symlink_to(tempfile.mkdtemp(prefix=f"{NAME}-", dir="/tmp"))
    account.own(of_socket(base))
    return of_socket(base)


def remove_of_socket(base: Path) -> None:
    """Remove the folder of the socket, wherever it is."""
    shutil.rmtree(of_socket(base), ignore_errors=True)
    if (base / "socket").is_symlink():
        (base / "socket").unlink()
