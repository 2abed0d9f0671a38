"""What is wrong in a registry file, in its own words: where, what, and what would be right."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

from generator.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    Place = tuple[str, ...]
    """Where in a file something is: the keys that lead to it."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TOML_TYPES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    list: "an array",
    dict: "a table",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{dotted(self.place)}: {self.message}"


def invalid(origin: str, problems: Sequence[Problem]) -> RegistryError:
    """Make one error of everything that is wrong in the file `origin`."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return RegistryError("\n  ".join([f"{origin}: {count}", *map(str, problems)]))


def dotted(place: Place) -> str:
    """Write a place as TOML does: keys joined by dots, in quotes where they are not bare."""
    return ".".join(
        key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False) for key in place
    )


def choices(given: object, allowed: Collection[str]) -> str:
    """Say what would do: use 'count' or 'duration' (did you mean 'duration'?)."""
    *most, last = map(repr, allowed)
    listed = f"{', '.join(most)} or {last}" if most else last
    similar = closest(given, allowed)
    return f"use {listed}" + (f" (did you mean {similar!r}?)" if similar and most else "")


def closest(given: object, allowed: Collection[str]) -> str | None:
    """Find the one of `allowed` that was probably meant."""
    return next(iter(difflib.get_close_matches(str(given), allowed, n=1)), None)


def wrong_type(value: object, wanted: str) -> str:
    """Say that a value is of the wrong type."""
    return f"must be {wanted}, not {_TOML_TYPES.get(type(value), 'a date or time')}"


def explain(
    error: ValidationError, model: type, place: Place, given: Collection[str] = ()
) -> list[Problem]:
    """Translate what pydantic found wrong with the table at `place`.

    The fields in `given` are not keys of the table: its own name, for one.
    """
    problems = []
    for detail in error.errors(include_url=False):
        field = str(detail["loc"][0])
        message = _message(detail, field, _literals(model, field))
        if field in given:
            problems.append(Problem(place, f"the {field} {message}"))
        else:
            problems.append(Problem((*place, field), message))
    return problems


def _message(detail: ErrorDetails, field: str, allowed: Collection[str]) -> str:
    given = detail["input"]
    match detail["type"]:
        case "missing" if allowed:
            return f"missing; {choices('', allowed)}"
        case "missing":
            return f'missing; add {field} = "..."'
        case "literal_error" if isinstance(given, str):
            return f"unknown {field} {given!r}; {choices(given, allowed)}"
        case "literal_error" | "string_type":
            return wrong_type(given, "a string")
        case "bool_type":
            return wrong_type(given, "true or false")
        case "value_error":
            return str(detail["ctx"]["error"])
        case unforeseen:
            raise AssertionError(unforeseen)


def _literals(model: type, field: str) -> tuple[str, ...]:
    """List the values that a field may have, if it has a choice of them."""
    annotation = get_type_hints(model)[field]
    return get_args(annotation) if get_origin(annotation) is Literal else ()
