"""Charts: bars for counts and lines for averages, as SVG that can stand in a page beside others."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from generator.report.page.wording import MINUS, amount, bucket, label, number
from generator.report.queries import held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from generator.report.page.findings import Series

_SIZE = (4.2, 2.3)  # inches, of 72 units each: small, so that text is readable on a phone
_STYLE: dict[Any, Any] = {
    "axes.edgecolor": "#8a94a3",
    "axes.linewidth": 0.8,
    "axes.titlecolor": "#4a5464",
    "axes.titlesize": 9.5,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "reporting-rollups",
    "text.color": "#4a5464",
    "xtick.major.pad": 7.0,
    "xtick.labelcolor": "#4a5464",
    "ytick.labelcolor": "#4a5464",
}
_WHOLE, _PART, _GRID = "#2f5f8f", "#7396b8", "#e4e8ed"
_FEWEST, _FEW, _MOST_TICKS = 6, 14, 5
_SCALES = ((2 * 86400, 86400, "d"), (2 * 3600, 3600, "h"), (2 * 60, 60, "min"), (0, 1, "s"))
"""From how many seconds at most on an axis is marked in which unit, and how long that is."""


def draw(series: Series, identifier: str) -> Markup:
    """Draw a report over a period, the same bytes for the same points.

    The identifier, which nothing else on the page has, begins every id within the chart.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    with rc_context(_STYLE):
        axes = figure.add_subplot()
        if series.reading.is_average:
            _line(axes, series)
        else:
            _bars(axes, series)
        _frame(axes, series)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    return Markup(_inline(drawn.getvalue(), series, identifier))  # noqa: S704 (ElementTree escapes)


def describe(series: Series) -> str:
    """Say what a chart shows, for readers who cannot see it."""
    known = [
        (value, point.local_start)
        for value, point in zip(series.values, series.points, strict=True)
        if value is not None
    ]
    (low, low_at), (high, high_at) = min(known), max(known)
    return (
        f"By {series.unit}, from {bucket(series.points[0].local_start, series.unit)} to "
        f"{bucket(series.points[-1].local_start, series.unit)}. "
        f"Highest: {amount(high, series.reading)}, {bucket(high_at, series.unit)}. "
        f"Lowest: {amount(low, series.reading)}, {bucket(low_at, series.unit)}. "
        "A table of all values follows."
    )


def _bars(axes: Axes, series: Series) -> None:
    values = [value or 0 for value in series.values]
    colors = [_PART if partly else _WHOLE for partly in series.partly]
    axes.bar(range(len(values)), values, width=0.78, color=colors)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: number(value))
    axes.set_ylim(bottom=0, top=max(*values, 1) * 1.05)


def _line(axes: Axes, series: Series) -> None:
    """Draw a line, with gaps where there is nothing to average, and dots if few or alone."""
    values = [math.nan if value is None else value for value in series.values]
    top = max(abs(value) for value in values if not math.isnan(value))
    _, length, unit = next(scale for scale in _SCALES if top >= scale[0])
    scaled = [value / length for value in values]
    axes.plot(
        scaled, color=_WHOLE, linewidth=1.6, marker="o", markersize=3, markevery=_dotted(scaled)
    )
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g} {unit}".replace("-", MINUS))
    axes.margins(y=0.08)
    if min(scaled, key=lambda value: math.inf if math.isnan(value) else value) >= 0:
        axes.set_ylim(bottom=0, top=max(top / length, 1e-9) * 1.08)


def _dotted(values: Sequence[float]) -> list[int]:
    """List the places of values that have none beside them; of few values, all."""
    if len(values) <= _FEW:
        return list(range(len(values)))
    padded = [math.nan, *values, math.nan]
    return [
        place
        for place, value in enumerate(values)
        if not math.isnan(value) and math.isnan(padded[place]) and math.isnan(padded[place + 2])
    ]


def _frame(axes: Axes, series: Series) -> None:
    count = len(series.points)
    slack = max(0, _FEWEST - count) / 2
    axes.set_xlim(-0.6 - slack, count - 0.4 + slack)
    places = range(0, count, -(-count // _MOST_TICKS))
    axes.xaxis.set_major_locator(FixedLocator(list(places)))
    axes.set_xticks(list(places), _dates(series, places))
    axes.tick_params(length=0)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    what = "average per" if series.reading.is_average else "per"
    axes.set_title(f"{what} {series.unit}", loc="left")


def _dates(series: Series, places: Sequence[int]) -> list[str]:
    """Name starts of buckets below their places, with the year where there is a new one."""
    written = []
    year = None
    for place in places:
        start = held(series.points[place].local_start)
        if series.unit == "year":
            written.append(str(start.year))
            continue
        short = f"{start:%b}" if series.unit == "month" else f"{start.day} {start:%b}"
        written.append(short if start.year == year else f"{short}\n{start.year}")
        year = start.year
    return written


def _inline(drawn: str, series: Series, identifier: str) -> str:
    """Make of an SVG document an element of HTML, named, with ids that are its own."""
    root = ET.fromstring(drawn)  # noqa: S314 (matplotlib has written it)
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _own(_local(key), value, identifier)
            for key, value in element.attrib.items()
        }
    del root.attrib["width"], root.attrib["height"], root.attrib["version"]
    names = {"title": label(series.reading), "desc": describe(series)}
    for place, (tag, text) in enumerate(names.items()):
        element = ET.Element(tag, id=f"{identifier}-{tag}")
        element.text = text
        root.insert(place, element)
    root.set("role", "img")
    root.set("aria-labelledby", " ".join(f"{identifier}-{tag}" for tag in names))
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    return ET.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    """Take the namespace off a name: HTML knows what is SVG."""
    return name.rpartition("}")[2]


def _own(key: str, value: str, identifier: str) -> str:
    """Let an id, or what refers to one, begin with the chart's own."""
    if key == "id":
        return f"{identifier}-{value}"
    if key == "href":
        return value.replace("#", f"#{identifier}-")
    return value.replace("url(#", f"url(#{identifier}-")
