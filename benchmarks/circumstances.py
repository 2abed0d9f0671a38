"""When, where and how something was measured."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from generator.database.connection import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = """
SELECT s.name, current_setting(s.name)
FROM pg_settings s
WHERE s.name IN (
    'shared_buffers', 'max_wal_size', 'synchronous_commit', 'fsync', 'full_page_writes'
)
ORDER BY s.name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What has to be said with every number."""

    date: str
    server_version: str
    settings: Mapping[str, str]
    machine: str
    cores: int
    command: str

    @classmethod
    def of(cls, dsn: str, command: str) -> Circumstances:
        """Look around, on this machine and on a server."""
        with connect(dsn) as session:
            settings = dict(session.execute(_SETTINGS).fetchall())
            version = session.execute("SHOW server_version").fetchone() or ("?",)
        return cls(
            date=datetime.now(UTC).date().isoformat(),
            server_version=str(version[0]).split()[0],
            settings=settings,
            machine=platform.machine(),
            cores=os.cpu_count() or 1,
            command=command,
        )

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return (
            f"{self.date}, PostgreSQL {self.server_version} ({settings}),"
            f" {self.cores} cores ({self.machine}): {self.command}"
        )
