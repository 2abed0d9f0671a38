"""Chatwoot's tables, filled by COPY."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from generator.demo.companies import COMPANIES
from generator.demo.events import Conversation, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from generator.database.connection import Connection
    from generator.demo.events import History

TABLES = Path(__file__).with_name("reference.sql")

_ACCOUNT = "INSERT INTO public.accounts (id, name, settings) VALUES (%s, %s, %s)"

_AFTER_CONVERSATIONS = """
SELECT setval('public.conversations_id_seq', max(c.id))
FROM public.conversations c
"""

_BATCH = 2000


def create_tables(session: Connection) -> None:
    """Create Chatwoot's tables with all their indexes, and the accounts."""
    with session.transaction():
        session.execute(TABLES.read_bytes())
        for company in COMPANIES:
            settings = Jsonb({"reporting_timezone": company.setting})
            session.execute(_ACCOUNT, (company.id, company.name, settings))


def load(session: Connection, history: History, loaded: Callable[[int], None]) -> None:
    """Copy a history into the tables, in one transaction; `loaded` hears of events on the way."""
    with session.transaction():
        _copy(session, "conversations", Conversation, history.conversations, lambda number: None)
        session.execute(_AFTER_CONVERSATIONS)
        _copy(session, "reporting_events", Event, history.events, loaded)
    session.execute("ANALYZE")


def _copy(
    session: Connection,
    table: str,
    row_type: type[Conversation | Event],
    rows: Iterable[tuple[Any, ...]],
    copied: Callable[[int], None],
) -> None:
    columns = ", ".join(row_type._fields)
    with session.cursor().copy(f"COPY public.{table} ({columns}) FROM STDIN") as copy:
        for number, row in enumerate(rows, 1):
            copy.write_row(row)
            if number % _BATCH == 0:
                copied(_BATCH)
