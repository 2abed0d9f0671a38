"""How a duration is written for people, everywhere: on terminals, on the page and by the demo."""

from __future__ import annotations

_DAY, _HOUR, _MINUTE = 86400, 3600, 60
_STEPS = (
    (2 * _DAY, _DAY, "d", _HOUR, "h"),
    (_HOUR, _HOUR, "h", _MINUTE, "min"),
    (_MINUTE, _MINUTE, "min", 1, "s"),
)
"""From how many seconds on a duration is written in two units, and which ones."""


def duration(seconds: float, *, joined: str = " ", thousands: str = " ", minus: str = "-") -> str:
    """Write seconds for people: `4.2 s`, `45 s`, `12 min 5 s`, `1 h 23 min` or `2 d 4 h`.

    `joined` is what keeps a number and its unit together, `thousands` what parts its digits.
    """
    length = abs(seconds)
    sign = minus if seconds < 0 else ""
    for least, large, name, small, rest_name in _STEPS:
        rounded = round(length / small) * small
        if rounded >= least:
            whole, rest = divmod(rounded, large)
            ending = f" {rest // small}{joined}{rest_name}" if rest else ""
            return f"{sign}{whole:,}".replace(",", thousands) + f"{joined}{name}{ending}"
    return f"{sign}{round(length, 1 if length < 10 else 0):g}{joined}s"
