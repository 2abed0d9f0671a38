"""Moments and days as they are typed: dates, times or words. What they mean is in `ranges`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import click

WORDS = "today, yesterday, 7d or 2w (so many days or weeks ago)"
_NAMED = {"tomorrow": -1, "today": 0, "yesterday": 1}
_AGO = re.compile(r"(\d{1,6})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, which messages repeat, and what it means.

    That is a day, a time, or so long ago: whole days before today or, of `is_exact`, before now.
    """

    text: str
    value: date | datetime | timedelta
    is_exact: bool = False

    @property
    def is_relative(self) -> bool:
        """Whether what it means depends on when it is typed."""
        return isinstance(self.value, timedelta)

    def __str__(self) -> str:
        return self.text


class Day(click.ParamType[Typed]):
    """A day: ISO 8601, or a word."""

    name = "day"
    wanted = f"neither YYYY-MM-DD nor {WORDS}"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Typed:
        """Read a day; where it is none, the use is wrong."""
        if isinstance(value, Typed):
            return value
        try:
            found = _word(value) or self._iso(value)
        except (ValueError, OverflowError):
            found = None
        if found is None or (found.is_exact and not isinstance(self, Moment)):
            self.fail(f"{value!r} is {self.wanted}", param, ctx)
        return found

    def _iso(self, value: str) -> Typed:
        return Typed(value, date.fromisoformat(value))


class Moment(Day):
    """A day, a local time, or a moment with its offset: ISO 8601, or a word."""

    name = "moment"
    wanted = f"neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM[:SS][+HH:MM] nor now, 24h, {WORDS}"

    def _iso(self, value: str) -> Typed:
        try:
            return super()._iso(value)
        except ValueError:
            return Typed(value, datetime.fromisoformat(value))


def _word(value: str) -> Typed | None:
    word = value.strip().lower()
    if word == "now":
        return Typed(value, timedelta(), is_exact=True)
    if word in _NAMED:
        return Typed(value, timedelta(days=_NAMED[word]))
    if match := _AGO.fullmatch(word):
        return Typed(value, int(match[1]) * _UNITS[match[2]], is_exact=match[2] == "h")
    return None
