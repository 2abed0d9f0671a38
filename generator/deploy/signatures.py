"""The signatures of functions, read from texts that are as pg_get_functiondef() prints them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEADER = re.compile(r"CREATE OR REPLACE (FUNCTION|PROCEDURE) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What CREATE OR REPLACE cannot change, but for defaults, which it can add."""

    routine: str
    """FUNCTION or PROCEDURE."""
    name: str
    parameters: tuple[str, ...]
    """Each with its mode, name and type."""
    defaults: int
    result: str

    @property
    def drop(self) -> str:
        """What DROP is to name: the routine with the types of its parameters."""
        types = (one.removeprefix("IN ").split(" ", 1)[-1] for one in self.parameters)
        return f"ROUTINE {self.name}({','.join(types)})"


def signature(definition: str, name: str) -> Signature:
    """Read a definition, in which no default holds a comma, and parameters have plain names.

    One that is not like that has a signature that is unlike every other.
    """
    header, _, rest = definition.partition("\n")
    start = _HEADER.match(header)
    prefix = f"{start[0]}{name}(" if start else header
    if start is None or not (header.startswith(prefix) and header.endswith(")")):
        return Signature(routine="", name=name, parameters=(header,), defaults=0, result="")
    written = [one for one in header[len(prefix) : -1].split(", ") if one]
    result = rest.partition("\n")[0]
    return Signature(
        routine=start[1],
        name=name,
        parameters=tuple(one.partition(" DEFAULT ")[0] for one in written),
        defaults=sum(" DEFAULT " in one for one in written),
        result=result if result.startswith(" RETURNS ") else "",
    )


def is_replaceable(old: Signature, new: Signature) -> bool:
    """Tell whether CREATE OR REPLACE can make the new function of the old one."""
    return (
        old.routine == new.routine
        and old.parameters == new.parameters
        and old.result == new.result
        and old.defaults <= new.defaults
    )
