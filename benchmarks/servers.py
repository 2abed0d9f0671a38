"""The server to measure on: an embedded one, or whatever somebody names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.contestants import EXTENSIONS
from generator.database import connect
from generator.embedded import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.contestants import Contestant

HASTY = {
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "synchronous_commit": "off",
    "full_page_writes": "on",
    "timezone": "UTC",
}
"""Settings of the embedded server, which as an ephemeral one also has fsync off."""

DURABLE = {**HASTY, "synchronous_commit": "on", "fsync": "on"}
"""Those of one where commits wait for the disk."""

_IS_AVAILABLE = "SELECT EXISTS (SELECT FROM pg_available_extensions e WHERE e.name = %s)"
_IS_PRELOADED = "SELECT current_setting('shared_preload_libraries') LIKE '%%' || %s || '%%'"


@contextmanager
def server(database_url: str | None, settings: Mapping[str, str] = HASTY) -> Iterator[str]:
    """Give the connection string of the server to measure on, by default an embedded one."""
    if database_url is not None:
        yield database_url
        return
    with EmbeddedServer(ephemeral=True, settings=settings) as embedded:
        yield embedded.dsn()


def absentees(dsn: str) -> dict[Contestant, str]:
    """Return the contestants that the server has no extension for, and say so of each."""
    absent = {}
    with connect(dsn) as session:
        for one in EXTENSIONS:
            if session.execute(_IS_AVAILABLE, (one.extension,)).fetchone() != (True,):
                absent[one] = f"{one.extension} is not installed on this server"
            elif one.is_preloaded and (
                session.execute(_IS_PRELOADED, (one.extension,)).fetchone() != (True,)
            ):
                absent[one] = f"{one.extension} is not in shared_preload_libraries of this server"
    return absent
