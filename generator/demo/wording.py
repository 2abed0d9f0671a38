"""How numbers and times are written."""

from __future__ import annotations


def number(value: int) -> str:
    """Write a number with spaces between thousands: `203 114`."""
    return f"{value:,}".replace(",", " ")


def seconds(value: float) -> str:
    """Write what a clock has measured: `4.1 s` or `12 ms` or `1.2 ms`."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"


def lasting(value: float | None) -> str:
    """Write how long something lasted on average: `42 s`, `9 min`, `3 h 05` or `2 d 4 h`."""
    if value is None:
        return "-"
    minutes, hours = round(value / 60), round(value / 3600)
    if round(value) < 60:
        return f"{value:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60:02}"
    return f"{hours // 24} d {hours % 24} h"
