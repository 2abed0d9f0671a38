"""Makes the tables of a registry file, and notes what is wrong on the way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from pydantic import ValidationError

from generator.registry.problems import Problem, choices, closest, explain, wrong_type

if TYPE_CHECKING:
    from collections.abc import Collection

    from generator.registry.problems import Place

    Document = dict[str, Any]


class _Table(Protocol):
    """Any of the classes in tables."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init__(self, **values: object) -> None: ...


T = TypeVar("T", bound=_Table)


class Builder:
    """Makes tables, and keeps the problems and the places of what could not be made."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.unread: set[Place] = set()

    def values(self, model: type[T], entries: Document, place: Place, key: str) -> list[T]:
        """Make a `model` of each NAME = VALUE; `key` is where the value goes."""
        found = (
            self.build(model, {}, (*place, name), **{"name": name, key: value})
            for name, value in entries.items()
        )
        return [one for one in found if one is not None]

    def entries(self, parent: Document, place: Place, needed: str | None = None) -> Document:
        """Get a table that holds entries by name; `needed` is an example where one must be."""
        entries = parent.get(place[-1], {})
        if not isinstance(entries, dict):
            self.unreadable(place, wrong_type(entries, "a table"))
            return {}
        if needed and not entries:
            self.unreadable(place, f"has no entry; add one, such as {needed}")
        return entries

    def build(self, model: type[T], table: object, place: Place, **given: object) -> T | None:
        """Make a `model` of a table of the file and of what is `given` besides."""
        if not isinstance(table, dict):
            self.unreadable(place, wrong_type(table, "a table"))
            return None
        keys = [one.name for one in dataclasses.fields(model) if one.name not in given]
        try:
            return model(**self.spelt(table, keys, place), **given)
        except ValidationError as error:
            self.problems += explain(error, model, place, given)
            self.unread.add(place)
            return None

    def spelt(self, table: Document, allowed: Collection[str], place: Place) -> Document:
        """Note unknown keys, and read on as if one that is nearly right were right."""
        absent = [key for key in allowed if key not in table]
        known = {key: value for key, value in table.items() if key in allowed}
        for key in (key for key in table if key not in allowed):
            message = f"unknown key; {choices(key, allowed)}"
            self.problems.append(Problem((*place, key), message))
            if meant := closest(key, absent):
                known.setdefault(meant, table[key])
        return known

    def unreadable(self, place: Place, message: str) -> None:
        """Note what cannot be read, and why."""
        self.problems.append(Problem(place, message))
        self.unread.add(place)
