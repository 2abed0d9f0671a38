"""The wheel: what is installed does all that the checkout does."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator import __version__
from generator.operate.status import inspect
from generator.registry import load
from generator.render.objects import render
from tests.support.command import NOWHERE
from tests.support.events import desk, mix
from tests.support.oracle import assert_exact

if TYPE_CHECKING:
    from tests.support.databases import Connect

PROJECT = Path(__file__).parents[2]
CHECKOUT = PROJECT / "generator"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of the checkout, and return it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel into a folder, and return that."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, *arguments: str, cwd: Path) -> str:
    """Run what is installed, with nothing of the checkout in reach."""
    environment = {name: value for name, value in os.environ.items() if name not in NOWHERE}
    return subprocess.run(
        [sys.executable, "-P", "-m", "generator", *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_it_holds_the_package_and_its_migrations_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {
        str(path.relative_to(PROJECT))
        for path in CHECKOUT.glob("**/*")
        if path.is_file() and path.suffix != ".pyc"
    }
    migrations = {
        f"generator/{path.relative_to(PROJECT)}" for path in (PROJECT / "migrations").glob("*.sql")
    }
    described = {name for name in names if ".dist-info/" in name}
    assert names - described == package | migrations
    assert "generator/registry.toml" in package
    assert any(name.endswith("entry_points.txt") for name in described)
    assert any(name.endswith("LICENSE") for name in described)


def test_it_knows_its_version(installed: Path, wheel: Path, tmp_path: Path) -> None:
    assert (
        run(installed, "--version", cwd=tmp_path) == f"reporting-rollups, version {__version__}\n"
    )
    assert wheel.name.startswith(f"reporting_rollups-{__version__}-")


def test_it_renders_what_the_checkout_renders(installed: Path, tmp_path: Path) -> None:
    run(installed, "render", "--output", "x", cwd=tmp_path)
    written = {
        str(path.relative_to(tmp_path / "x")): path.read_text()
        for path in (tmp_path / "x").glob("**/*.sql")
    }
    assert written == {one.path: one.text for one in render(load())}


def test_it_deploys_what_the_checkout_calls_current(
    installed: Path, tmp_path: Path, reference_database: str, connect: Connect
) -> None:
    said = run(installed, "deploy", "--database-url", reference_database, cwd=tmp_path)
    assert said.startswith("apply migration 0001.rollup-schema\n")
    session = desk(connect(reference_database))
    assert inspect(session, load()).is_current
    mix(session)
    assert_exact(session)
    assert "agree" in run(installed, "verify", "--database-url", reference_database, cwd=tmp_path)


def test_the_checkout_goes_on_where_the_wheel_has_deployed(
    installed: Path, tmp_path: Path, reference_database: str, database: str
) -> None:
    run(installed, "deploy", "--database-url", reference_database, cwd=tmp_path)
    for deployed in (reference_database, database):
        again = run(installed, "deploy", "--database-url", deployed, cwd=tmp_path)
        assert again == "nothing to do: all is up to date\n"
