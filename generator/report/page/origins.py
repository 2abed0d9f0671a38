"""Where the figures of a period come from, in few lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from generator.report.queries import held

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.report.queries import Part

MOST_SPANS = 6
"""How many stretches of days are named; of more there is only the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A source, the reason for it, and the parts of the period that come from there for it."""

    source: str
    reason: str
    parts: tuple[Part, ...]

    @property
    def days(self) -> int:
        """How many days the parts touch, a day of which is only a part being one, too."""
        return sum(
            ((held(one.ends) - timedelta(microseconds=1)).date() - held(one.begins).date()).days + 1
            for one in self.parts
        )

    @property
    def shown(self) -> tuple[Part, ...]:
        """The first parts."""
        return self.parts[:MOST_SPANS]


def origins(parts: Iterable[Part]) -> tuple[Origin, ...]:
    """Gather parts that have a source and a reason in common, in the order of the first of each."""
    found: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        found.setdefault((part.source, part.reason), []).append(part)
    return tuple(
        Origin(source=source, reason=reason, parts=tuple(those))
        for (source, reason), those in found.items()
    )
