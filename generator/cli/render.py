"""`render`: registry and templates to files of SQL."""

from __future__ import annotations

import difflib
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.codes import DIFFERENT
from generator.cli.console import as_json, errors, fail, note, say, say_as_is
from generator.cli.options import with_json, with_registry
from generator.errors import RollupError
from generator.render import objects as rendering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.registry import Registry

_OURS = re.compile(r"^rollup\.|\.rollup_after_")
"""How the files of objects in our schema, and of our triggers, are named."""


@click.command()
@with_registry
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sql"),
    show_default=True,
    help="The folder to write to: one file per object, in a folder per kind.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 2 and a diff if they differ.")
@with_json
def render(registry_: Registry, output: Path, check: bool, json_: bool) -> None:
    """Render the registry to SQL, to be read and reviewed.

    Deploying renders by itself; the files are there for people. Files of objects in the schema
    rollup, and of its triggers, that are no longer rendered are removed; others are left alone.
    """
    with errors():
        wanted = {output / one.path: one.text for one in rendering.render(registry_)}
        existing = _existing(wanted)
        changed = sorted(
            path for path in wanted.keys() | existing if wanted.get(path) != existing.get(path)
        )
        if not check:
            _write(wanted, changed)
        if json_:
            as_json(_plain(wanted, changed, check=check))
        elif check:
            for path in changed:
                _print_diff(path, existing.get(path, ""), wanted.get(path, ""))
        else:
            for path in changed:
                say(f"{'wrote' if path in wanted else 'removed'} {path}")
        if not changed:
            note(f"{output}/ is up to date: {len(wanted)} files")
        elif check:
            fail(
                f"{len(changed)} of {len(wanted)} files in {output}/ are not as rendered",
                f"run `python -m generator render --output {output}`",
                DIFFERENT,
            )


def _plain(wanted: dict[Path, str], changed: list[Path], *, check: bool) -> dict[str, object]:
    """Name the files for programs: those that differ, or those that differed until now."""
    return {
        "files": len(wanted),
        "differing": [str(path) for path in changed if check],
        "written": [str(path) for path in changed if path in wanted and not check],
        "removed": [str(path) for path in changed if path not in wanted and not check],
    }


@contextmanager
def _naming_files() -> Iterator[None]:
    """Make an error of a file that cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise RollupError(f"cannot use {error.filename}: {error.strerror}") from error


@_naming_files()
def _existing(wanted: dict[Path, str]) -> dict[Path, str]:
    """Read the files that are wanted, and those beside them that are no longer."""
    present = {
        path
        for folder in {path.parent for path in wanted}
        for path in folder.glob("*.sql")
        if path in wanted or _OURS.search(path.name)
    }
    return {path: path.read_text("utf-8", errors="replace") for path in present}


def _print_diff(path: Path, old: str, new: str) -> None:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        str(path),
        f"{path} (rendered)",
    )
    say_as_is("".join(lines).removesuffix("\n"))


@_naming_files()
def _write(wanted: dict[Path, str], changed: list[Path]) -> None:
    for path in changed:
        if path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], "utf-8")
        else:
            path.unlink()
