"""How numbers and times are written."""

from __future__ import annotations

from generator.durations import duration


def number(value: int) -> str:
    """Write a number with spaces between thousands: `203 114`."""
    return f"{value:,}".replace(",", " ")


def seconds(value: float) -> str:
    """Write what a clock has measured: `4.1 s` or `12 ms` or `1.2 ms`."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"


def lasting(value: float | None) -> str:
    """Write how long something lasted on average: `42 s`, `9 min`, `3 h 5 min` or `2 d 4 h`."""
    return "-" if value is None else duration(value)
