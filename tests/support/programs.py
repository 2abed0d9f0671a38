"""PostgreSQL's own programs for dumps, where tests can find them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from generator.embedded import EmbeddedServerError
from generator.embedded.binaries import of_the_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

NAMES = ("pg_dump", "pg_restore", "psql")


class Programs:
    """PostgreSQL's programs for dumps, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def version(self) -> int:
        said = subprocess.check_output([self.folder / "pg_dump", "--version"], text=True)
        [major] = re.findall(r"PostgreSQL\) (\d+)", said)
        return int(major)

    def dump(self, dsn: str, path: Path, *options: str) -> Path:
        """Write a dump, a plain one if the file's name ends in .sql."""
        format_ = "plain" if path.suffix == ".sql" else "custom"
        self._run("pg_dump", f"--format={format_}", *options, f"--file={path}", f"--dbname={dsn}")
        return path

    def restore(self, path: Path, dsn: str, *options: str) -> list[str]:
        """Restore a dump and return the errors, after which it goes on if told nothing else."""
        if path.suffix == ".sql":
            return self._run("psql", "-qX", *options, f"--file={path}", f"--dbname={dsn}")
        return self._run("pg_restore", *options, f"--dbname={dsn}", str(path))

    def restore_tables(self, path: Path, dsn: str, order: Iterable[str]) -> list[str]:
        """Restore the data of tables and their sequences one by one; return the errors."""
        return [
            error
            for table in order
            for error in self.restore(
                path, dsn, "--data-only", f"--table={table}", f"--table={table}_id_seq"
            )
        ]

    def _run(self, program: str, *arguments: str) -> list[str]:
        command = [str(self.folder / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        errors = re.findall(r"ERROR:  (.*)", done.stderr)
        assert errors or not done.returncode, done.stderr
        return errors


def find(session: psycopg.Connection[Any]) -> Programs:
    """Find the programs of a server's version; where there are none, skip the test."""
    named = os.environ.get("TEST_PG_BIN")
    try:
        found = Programs(Path(named) if named else of_the_wheel())
    except EmbeddedServerError as error:
        pytest.skip(f"there is no pg_dump: {error}")
    missing = [name for name in NAMES if not (found.folder / name).is_file()]
    if missing:
        pytest.skip(f"not in {found.folder}: {', '.join(missing)}")
    if found.version() != session.info.server_version // 10000:
        pytest.skip(f"pg_dump is of version {found.version()}, and the server of another")
    return found
