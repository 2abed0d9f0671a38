"""The server to measure on: an embedded one, or the one that the caller names."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.contestants import EXTENSIONS
from generator.database.connection import connect
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

_OBSTACLE = """
SELECT CASE
    WHEN NOT EXISTS (SELECT FROM pg_available_extensions e WHERE e.name = x.name)
    THEN 'is not installed on this server'
    WHEN x.is_preloaded
        AND NOT x.name = ANY (
            string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ',')
        )
    THEN 'is not in shared_preload_libraries of this server'
    WHEN NOT EXISTS (
        SELECT
        FROM pg_available_extension_versions v
        JOIN pg_roles r ON r.rolname = current_user
        WHERE v.name = x.name
        AND (r.rolsuper OR v.trusted OR NOT v.superuser)
    )
    THEN 'is for superusers to install'
END
FROM (SELECT %s::name AS name, %s AS is_preloaded) x
"""


@contextmanager
def server(database_url: str | None, settings: Mapping[str, str] = HASTY) -> Iterator[str]:
    """Give the connection string of the server to measure on, by default an embedded one."""
    if database_url is not None:
        yield database_url
        return
    with EmbeddedServer(ephemeral=True, settings=settings) as embedded:
        yield embedded.dsn()


def absentees(dsn: str) -> dict[Contestant, str]:
    """Return the contestants whose extension we cannot create on the server, each with why."""
    absent = {}
    with connect(dsn) as session:
        for one in EXTENSIONS:
            needs = (one.extension, one.is_preloaded)
            [obstacle] = session.execute(_OBSTACLE, needs).fetchone() or (None,)
            if obstacle:
                absent[one] = f"{one.extension} {obstacle}"
    return absent
