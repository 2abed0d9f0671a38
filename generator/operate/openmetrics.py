"""Text in the OpenMetrics format, version 1.0: https://openmetrics.io."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A number, and the labels that tell it from others of its family."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Samples of one kind; the name of an info has no suffix, its one sample's value is 1."""

    name: str
    kind: Literal["gauge", "info"] = "gauge"
    unit: str = ""
    """Which the name ends in, too."""
    help: str
    samples: tuple[Sample, ...]


def exposition(families: Iterable[Family]) -> str:
    """Write families in their order, each with its type and help, and the mark of the end."""
    return "".join(line for one in families for line in _lines(one)) + "# EOF\n"


def _lines(family: Family) -> Iterable[str]:
    yield f"# TYPE {family.name} {family.kind}\n"
    if family.unit:
        yield f"# UNIT {family.name} {family.unit}\n"
    yield f"# HELP {family.name} {_escaped(family.help)}\n"
    name = family.name + ("_info" if family.kind == "info" else "")
    for sample in family.samples:
        pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in sample.labels.items())
        yield f"{name}{{{pairs}}} {sample.value}\n" if pairs else f"{name} {sample.value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
