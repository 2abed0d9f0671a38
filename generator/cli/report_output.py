"""What `report` prints: answers as tables with bars, as CSV and as JSON, and comparisons."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from generator.bars import bar
from generator.cli.console import as_json, note, out, room, say, table
from generator.durations import duration
from generator.escaping import cell
from generator.report.comparison import is_same
from generator.report.local_times import offset

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from generator.report.comparison import Comparison
    from generator.report.queries import Part, Point, Request, Summary

Format = Literal["table", "csv", "json"]

BAR = 40
"""The width of the longest bar, in characters."""

_VALUE = frozenset({"value"})

_LABELS = {
    "hour": "%Y-%m-%d %H:%M",
    "day": "%Y-%m-%d %a",
    "week": "%Y-%m-%d",
    "month": "%Y-%m",
    "quarter": "%Y-%m",
    "year": "%Y",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Rows of a report: those of the first columns are keys, the others figures.

    `labels` say the key of each row as people read it; `bars` is the column of the table, which
    begins with them, that is drawn.
    """

    columns: tuple[str, ...]
    keys: int
    rows: list[tuple[Any, ...]]
    heading: str
    labels: list[str]
    bars: int | None = None
    durations: frozenset[str] = frozenset()
    """The figures that are seconds: a terminal shows them in words, unless they are compared."""

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the columns with figures."""
        return self.columns[self.keys :]


def of_points(points: Iterable[Point], request: Request, *, is_average: bool) -> Answer:
    """Give the answer of a series."""
    points = list(points)
    return Answer(
        columns=("bucket_start", "local_start", "value", "count"),
        keys=2,
        rows=[(_iso(one.start), _iso(one.local_start), one.value, one.count) for one in points],
        heading=f"{request.group_by} ({request.zone})",
        labels=_labels(points, _LABELS[request.group_by]),
        bars=1,
        durations=_VALUE if is_average else frozenset(),
    )


def _labels(points: list[Point], format_: str) -> list[str]:
    """Write when buckets begin, with the offset where another could begin at the same time."""
    labels = [_label(one.local_start, format_) for one in points]
    often = Counter(labels)
    return [
        f"{label} {one.offset or _offset(one)}" if one.offset or often[label] > 1 else label
        for label, one in zip(labels, points, strict=True)
    ]


def _offset(point: Point) -> str:
    """Write the offset of a bucket's start; nothing where Python has not the time."""
    if isinstance(point.local_start, str) or isinstance(point.start, str):
        return ""
    return offset(point.local_start, point.start)


def of_number(metric: str, value: float | None, *, is_average: bool) -> Answer:
    """Give the answer that is one number."""
    return Answer(
        columns=("metric", "value"),
        keys=1,
        rows=[(metric, value)],
        heading="",
        labels=[metric],
        durations=_VALUE if is_average else frozenset(),
    )


def of_summary(summary: Summary, durations: frozenset[str]) -> Answer:
    """Give the answer of a summary."""
    return Answer(
        columns=summary.columns,
        keys=1,
        rows=summary.rows,
        heading=summary.columns[0],
        labels=[str(row[0]) for row in summary.rows],
        durations=durations,
    )


def print_title(title: str, format_: Format, *, is_news: bool) -> None:
    """Print above a table what it is; beside what programs read, only where it is news."""
    if format_ == "table":
        say(title)
    elif is_news:
        note(title)


def print_answer(answer: Answer, format_: Format) -> None:
    """Print an answer; what is a table for people is plain for programs."""
    match format_:
        case "csv":
            _csv(answer.columns, answer.rows)
        case "json":
            as_json([dict(zip(answer.columns, row, strict=True)) for row in answer.rows])
        case "table":
            rows = [
                [label, *row[answer.keys :]]
                for label, row in zip(answer.labels, answer.rows, strict=True)
            ]
            _table(answer.heading, answer.figures, rows, answer.bars, answer.durations)


def print_comparison(compared: Comparison[Answer], format_: Format) -> bool:
    """Print both answers beside each other, and how long they took; tell whether they agree."""
    one, other = compared.of_rollups, compared.of_events
    keys = list(dict.fromkeys(row[: one.keys] for row in (*one.rows, *other.rows)))
    of_rollups = {row[: one.keys]: row[one.keys :] for row in one.rows}
    of_events = {row[: one.keys]: row[one.keys :] for row in other.rows}
    nothing = (None,) * len(one.figures)
    rows = [(key, of_rollups.get(key, nothing), of_events.get(key, nothing)) for key in keys]
    wrong = [row for row in rows if not all(map(is_same, row[1], row[2]))]
    beside = [name for figure in one.figures for name in (figure, f"{figure}_raw")]
    match format_:
        case "csv":
            columns = (*one.columns[: one.keys], *beside)
            _csv(columns, ((*key, *_paired(a, b)) for key, a, b in rows))
        case "json":
            as_json(
                {
                    "same": not wrong,
                    "rollups_ms": compared.rollups_seconds * 1000,
                    "raw_events_ms": compared.events_seconds * 1000,
                    "rollups": [dict(zip(one.columns, row, strict=True)) for row in one.rows],
                    "raw_events": [dict(zip(one.columns, row, strict=True)) for row in other.rows],
                }
            )
        case "table":
            labels = {
                row[: one.keys]: label
                for answer in (other, one)
                for row, label in zip(answer.rows, answer.labels, strict=True)
            }
            _table(one.heading, beside, [[labels[key], *_paired(a, b)] for key, a, b in rows])
    verdict = f"{len(wrong)} of {len(rows)} rows differ" if wrong else "the same"
    line = (
        f"{verdict}: rollups {compared.rollups_seconds * 1000:.1f} ms, "
        f"raw events {compared.events_seconds * 1000:.1f} ms ({compared.times:.1f} times)"
    )
    (say if format_ == "table" else note)(line)
    return not wrong


def print_parts(parts: Iterable[Part]) -> None:
    """Print which parts of a range come from where, beside the answer."""
    for part in parts:
        begins, ends = (
            f"{local} {offset}" if offset else _moment(local)
            for local, offset in zip((part.begins, part.ends), part.offsets, strict=True)
        )
        note(f"{begins} to {ends}: {part.source} ({part.reason})")


def _table(
    heading: str,
    figures: Iterable[str],
    rows: list[list[Any]],
    bars: int | None = None,
    durations: frozenset[str] = frozenset(),
) -> None:
    names = [heading, *figures]
    columns = [heading, *(name.replace("_", " ") for name in names[1:])]
    shown = [
        [
            _worded(value) if name in durations else value
            for name, value in zip(names, row, strict=True)
        ]
        for row in rows
    ]
    if bars is not None:
        values = [row[bars] for row in rows]
        most = max((value or 0 for value in values), default=0)
        length = room(columns, shown, BAR)
        parts = [(value or 0) / most if most > 0 else 0 for value in values]
        shown = [[*row, bar(one, length, out)] for row, one in zip(shown, parts, strict=True)]
        columns.append("")
    table(columns, shown, right=[name.replace("_", " ") for name in durations])


def _worded(seconds: float | None) -> str | float | None:
    return seconds if seconds is None or not out.is_terminal else duration(seconds)


def _paired(these: tuple[Any, ...], those: tuple[Any, ...]) -> list[Any]:
    return [figure for pair in zip(these, those, strict=True) for figure in pair]


def _csv(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(cell, columns))
    writer.writerows(map(cell, row) for row in rows)


def _iso(time: datetime | str) -> str:
    return time if isinstance(time, str) else time.isoformat()


def _label(local: datetime | str, form: str) -> str:
    return _moment(local) if isinstance(local, str) else local.strftime(form)


def _moment(local: datetime | str) -> str:
    if isinstance(local, str):  # beyond the years that Python knows
        return local.replace(" 00:00:00", "")
    midnight = local.hour == local.minute == local.second == local.microsecond == 0
    return str(local.date()) if midnight else str(local)
