"""The triggers on tables of events: transition tables, functions, and how the catalog has them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from generator.quoting import MAX_IDENTIFIER_BYTES, shortened

TRANSITION_TABLES = {
    "insert": "NEW TABLE AS inserted",
    "update": "OLD TABLE AS updated_before NEW TABLE AS updated_after",
    "delete": "OLD TABLE AS deleted",
    "truncate": "",
}
_TRIGGER_TYPES = {"insert": 4, "update": 16, "delete": 8, "truncate": 32}
"""What pg_trigger.tgtype says of a trigger AFTER each, FOR EACH STATEMENT: pg_trigger.h."""
_TRANSITION_TABLE = re.compile(r"(OLD|NEW) TABLE AS (\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerInCatalog:
    """A trigger on a table of events, as pg_trigger has it; no transition table: an empty name."""

    name: str
    function: str
    type: int
    old_table: str
    new_table: str


def in_catalog(table: str) -> tuple[TriggerInCatalog, ...]:
    """List the triggers on each table of events as pg_trigger has them."""
    found = []
    for verb, transition_tables in TRANSITION_TABLES.items():
        named = dict(_TRANSITION_TABLE.findall(transition_tables))
        found.append(
            TriggerInCatalog(
                name=f"rollup_after_{verb}",
                function=function_name(table, f"after_{verb}"),
                type=_TRIGGER_TYPES[verb],
                old_table=named.get("OLD", ""),
                new_table=named.get("NEW", ""),
            )
        )
    return tuple(found)


def function_name(table: str, suffix: str) -> str:
    """Name a trigger function as the catalog does: without its schema, and never in quotes."""
    return f"{shortened(table, MAX_IDENTIFIER_BYTES - len(f'_{suffix}'))}_{suffix}"
