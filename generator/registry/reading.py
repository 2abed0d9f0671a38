"""Which columns of the user's tables are read, and the types that each may have.

Types are named as format_type() names them; an enum is "enum", whatever it is called. Triggers and
reports are rendered for these types: see requirements, which checks them, and the function
rollup.require_tables(), which refuses to read tables that have changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.registry.model import Registry

INTEGERS = ("smallint", "integer", "bigint")
TEXTS = ("text", "character varying", "character", "citext", "name")
NUMBERS = (*INTEGERS, "real", "double precision", "numeric")
_NAMES = (*TEXTS, "enum")
_IDS_AS_TEXT = (*TEXTS, *INTEGERS, "enum", "uuid", "boolean")
_MOMENTS = {
    "timestamp": ("timestamp without time zone",),
    "timestamptz": ("timestamp with time zone",),
}

Types = dict[str, tuple[str, ...]]


def of_events(registry: Registry) -> Types:
    """Map each column of the events that is read to the types that it may have."""
    source = registry.source
    ids = INTEGERS if registry.rollups.id_type == "bigint" else _IDS_AS_TEXT
    return {
        **{measure.column: NUMBERS for measure in registry.measures},
        **dict.fromkeys(registry.id_columns, ids),
        source.account: INTEGERS,
        source.name: _NAMES,
        source.time: _MOMENTS[source.time_type],
    }


def of_accounts(registry: Registry) -> Types:
    """Map each column of the accounts table that is read to the types that it may have."""
    accounts = registry.accounts
    if accounts is None:
        return {}
    # Asking json for a key fails where there is \u0000 anywhere, so only jsonb will do.
    kept = ("jsonb",) if accounts.timezone_key is not None else _NAMES
    return {accounts.id: INTEGERS, accounts.timezone: kept}
