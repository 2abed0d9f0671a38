"""What can go wrong by a user's doing. Anything else is a bug and shows its traceback."""

from __future__ import annotations


class RollupError(Exception):
    """A mistake or a circumstance that the user can mend.

    The command line prints ``error: MESSAGE`` and, below it, the hint: what to do about it.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class RegistryError(RollupError):
    """The registry is not valid; nothing has been rendered or changed."""


class DatabaseError(RollupError):
    """The database refuses, or is not one that can be deployed to; nothing has been changed."""
