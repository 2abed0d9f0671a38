"""What has been done so far, in numbers."""

from __future__ import annotations

import textwrap
from collections import Counter
from threading import Lock


class Tally:
    """Counts what any thread does, under headings, and keeps what took longest, in seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, Counter[str]] = {}
        self._longest: dict[str, float] = {}

    def add(self, heading: str, what: str, count: int = 1) -> None:
        """Count something."""
        with self._lock:
            self._counts.setdefault(heading, Counter())[what] += count

    def took(self, what: str, seconds: float) -> None:
        """Take note of how long something took."""
        with self._lock:
            self._longest[what] = max(seconds, self._longest.get(what, 0.0))

    def total(self, heading: str) -> int:
        """Tell how often what is under a heading happened."""
        with self._lock:
            return self._counts.get(heading, Counter()).total()

    def lines(self) -> list[str]:
        """Write it all down."""
        with self._lock:
            counted = [
                _wrapped(
                    f"{heading:14}{counts.total():>9,}  ",
                    ", ".join(f"{what} {count:,}" for what, count in sorted(counts.items())),
                )
                for heading, counts in sorted(self._counts.items())
            ]
            return counted + [
                f"longest {what}: {seconds:.2f} s"
                for what, seconds in sorted(self._longest.items())
            ]


def _wrapped(beginning: str, rest: str) -> str:
    return textwrap.fill(
        rest,
        width=100,
        initial_indent=beginning,
        subsequent_indent=" " * len(beginning),
        break_on_hyphens=False,
    )
