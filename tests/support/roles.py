"""Roles for a test: they log in, own nothing and may do nothing, and are gone afterwards."""

from __future__ import annotations

import re
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import make_conninfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection


GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def advised(heading: str, session: Connection[Any], **roles: str) -> list[str]:
    """Give what the guide has in SQL below a heading, block by block, for roles of other names."""
    [section] = re.findall(rf"^#+ {heading}\n(.*?)(?=^#+ |\Z)", GUIDE, re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"^```sql\n(.*?)```", section, re.DOTALL | re.MULTILINE)
    names = {"DATABASE app": f"DATABASE {session.info.dbname}", **roles}
    return [
        re.sub("|".join(rf"\b{name}\b" for name in names), lambda found: names[found[0]], block)
        for block in blocks
    ]


class Role:
    """A role for a test, that may log in and nothing else; and how it connects."""

    def __init__(self, dsn: str) -> None:
        self.name = f"rollups_test_{secrets.token_hex(4)}"
        password = secrets.token_hex(8)
        self.dsn = make_conninfo(dsn, user=self.name, password=password)
        self.creation = f"CREATE ROLE {self.name} LOGIN PASSWORD '{password}'"


@contextmanager
def new_roles(session: Connection[Any], dsn: str, number: int = 1) -> Iterator[list[Role]]:
    """Create roles as a superuser; drop them afterwards, and leave it what they own here."""
    roles = [Role(dsn) for _ in range(number)]
    for role in roles:
        session.execute(role.creation)
    try:
        yield roles
    finally:
        for role in roles:
            session.execute(f"REASSIGN OWNED BY {role.name} TO CURRENT_USER")
        for role in roles:
            session.execute(f"DROP OWNED BY {role.name}")
        for role in roles:
            session.execute(f"DROP ROLE {role.name}")
