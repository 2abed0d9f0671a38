"""How numbers, durations, names and dates are written on a page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from generator import durations

if TYPE_CHECKING:
    from generator.registry import Reading

MINUS = "\N{MINUS SIGN}"
_JOINED = "\N{NO-BREAK SPACE}"
_DASH = "\N{EN DASH}"
_NARROW = "\N{NARROW NO-BREAK SPACE}"


def number(value: float) -> str:
    """Write a count with narrow spaces between thousands: `203 114`."""
    return f"{value:,.0f}".replace(",", _NARROW).replace("-", MINUS)


def duration(seconds: float) -> str:
    """Write seconds for people: `4.2 s`, `45 s`, `12 min 5 s`, `1 h 23 min` or `2 d 4 h`.

    A number stays on one line with its unit.
    """
    return durations.duration(seconds, joined=_JOINED, thousands=_NARROW, minus=MINUS)


def amount(value: float | None, reading: Reading) -> str:
    """Write the value of a report: a count, or a duration in words."""
    if value is None:
        return _DASH
    return duration(value) if reading.is_average else number(value)


def exactly(value: float | None, reading: Reading) -> str:
    """Write the value of a report as it is, for a reader who points at it."""
    if value is None:
        return "nothing to average"
    return f"{value!r} seconds" if reading.is_average else plain(value, reading)


def plain(value: float | None, reading: Reading) -> str:
    """Write the value of a report for programs; nothing where there is nothing to average."""
    if value is None:
        return ""
    return repr(float(value)) if reading.is_average else str(int(value))


def change(value: float | None, earlier: float | None, reading: Reading) -> str:
    """Write how a value differs from that of the period before: a signed percentage, or words."""
    if earlier is None or (earlier == 0 and not reading.is_average):
        return "none before" if value else "none before either"
    if value is None:
        return "none now"
    if value == earlier:
        return "unchanged"
    if earlier <= 0:
        return "not to be compared in percent"
    percent = 100 * (value - earlier) / earlier
    written = f"{percent:+,.0f}" if abs(percent) >= 9.95 else f"{percent:+.1f}"
    if float(written.replace(",", "")) == 0:
        return "±0%"
    return written.replace(",", _NARROW).replace("-", MINUS) + "%"


def label(reading: Reading) -> str:
    """Name a report for people: `avg_resolution_time` is `Average resolution time`."""
    if reading.is_average:
        rest = reading.report.removeprefix("avg_").removeprefix("average_")
        return name(f"average_{rest}")
    return name(reading.report.removesuffix("_count"))


def name(identifier: str) -> str:
    """Name something for people: `first_response` is `First response`."""
    words = identifier.replace("_", " ")
    return words[:1].upper() + words[1:]


def remark(reading: Reading, unit: str) -> str:
    """Say what is special about the points of a report, if anything."""
    remarks = []
    if reading.is_distinct:
        remarks.append(
            f"Each counts once a {unit} and, in the key figure, once in the period: the bars may "
            "add up to more."
        )
    if reading.excluded_metric:
        other = name(reading.excluded_metric.removesuffix("_count"))
        remarks.append(f"Left out is what {other} counts in the whole period.")
    return " ".join(remarks)


def days(count: int) -> str:
    """Write a number of days: `1 day` or `31 days`."""
    return "1 day" if count == 1 else f"{number(count)} days"


def day(at: datetime) -> str:
    """Write a date: `3 Mar 2026`."""
    return f"{at.day} {at:%b} {at.year}"


def time(at: datetime) -> str:
    """Write a local time: `3 Mar 2026, 14:05`."""
    return f"{day(at)}, {at:%H:%M}"


def span(begins: datetime, ends: datetime, offsets: tuple[str, str] = ("", "")) -> str:
    """Write a stretch of time, by its first and last day if it consists of days.

    Times that clocks show twice are those at the `offsets` from UTC.
    """
    midnight = datetime.min.time()
    if any(offsets) or not begins.time() == ends.time() == midnight:
        first, second = (f"{_JOINED}{one}" if one else "" for one in offsets)
        return f"{time(begins)}{first} {_DASH} {time(ends)}{second}"
    last = max(begins, ends - timedelta(days=1))
    return day(begins) if begins == last else f"{day(begins)} {_DASH} {day(last)}"


def bucket(start: datetime | str, unit: str) -> str:
    """Name a day, week, month or year by its start."""
    if isinstance(start, str):
        return start
    match unit:
        case "day":
            return f"{start:%a} {day(start)}"
        case "week":
            return f"week of {day(start)}"
        case "month":
            return f"{start:%B} {start.year}"
    return str(start.year)
