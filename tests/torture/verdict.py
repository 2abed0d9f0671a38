"""What can be found wrong, and how it is said."""

from __future__ import annotations

import traceback

import psycopg

WELL = "no drift, no lost event, no deadlock, no unexpected error"


class DriftError(AssertionError):
    """The rollups say something else than the events."""


class LostEventError(AssertionError):
    """The events of a writer are not those that it has committed."""


def verdict(problems: list[BaseException], seed: str) -> str:
    """Say in one line how it went."""
    if not problems:
        return WELL
    kinds = sorted({_kind(problem) for problem in problems})
    return f"FAILED: {', '.join(kinds)}; seed {seed}"


def explained(problem: BaseException) -> str:
    """Say all that is known of a problem."""
    return "".join(traceback.format_exception(problem)).rstrip()


def _kind(problem: BaseException) -> str:
    match problem:
        case DriftError():
            return "drift"
        case LostEventError():
            return "a lost event"
        case psycopg.errors.DeadlockDetected():
            return "a deadlock"
        case psycopg.errors.LockNotAvailable():
            return "a writer that waited"
        case psycopg.errors.SerializationFailure():
            return "a writer that could not be serialized"
        case _:
            return "an unexpected error"
