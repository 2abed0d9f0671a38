"""What decides the totals of each rollup key, as digests: what changed between two deployments."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from generator.registry.event import event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.registry.model import Registry

LONGEST_ID = 255
"""How many bytes of a text id count as they are: see the function rollup.short_id()."""

FORMAT = 2
"""How durable state is stored: 2 since pending events have the columns of rollup.event.

What is stored otherwise, a deployment converts: see generator.deploy.conversion.
"""


_OF_SOURCE = ("schema", "table", "account", "name", "time", "time_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """SHA-256, in hexadecimal, of what decides totals: all, or those of a metric or a dimension.

    Not of what is only read, named or followed, nor of the order of the file.
    """

    base: str
    metrics: Mapping[str, str]
    dimensions: Mapping[str, str]
    stored: Mapping[str, str]
    """The columns of pending events that hold ids and measures, each with the source's behind it.

    It decides no total: pending events are converted when it changes. In format 1 it is empty.
    """

    @property
    def digest(self) -> str:
        """The same of all that decides any total, and of how it is stored.

        A function compares it with that of the last deployment, to do nothing if it is older.
        """
        return digest({**dataclasses.asdict(self), "format": FORMAT})

    def as_json(self) -> dict[str, Any]:
        """Give it as it is written down in the database."""
        return {**dataclasses.asdict(self), "digest": self.digest}

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what as_json() has written, of this version or an older one."""
        given = {"stored": {}, **content}
        return cls(**{field.name: given[field.name] for field in dataclasses.fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a registry counts otherwise than another: everything, or some metrics and dimensions."""

    is_everything: bool = False
    metrics: tuple[str, ...] = ()
    """Metrics that are new, or whose totals mean something else."""
    dimensions: tuple[str, ...] = ()
    metrics_gone: tuple[str, ...] = ()
    dimensions_gone: tuple[str, ...] = ()

    @property
    def gone(self) -> tuple[str, ...]:
        """Name what is no longer counted."""
        metrics = (f"metric {name}" for name in self.metrics_gone)
        return (*metrics, *(f"dimension {name}" for name in self.dimensions_gone))

    def __bool__(self) -> bool:
        return self != Difference()


def counting(registry: Registry) -> Counting:
    """Work out the digests of a registry.

    What they are made of is listed here, key by key: a database loses coverage where one changes.
    """
    rollups = _parts(registry.rollups, "schema", "table", "id_type")
    if registry.rollups.id_type == "text":
        rollups["longest_id"] = LONGEST_ID
    memberships = {
        one.metric: _parts(one, "event", "metric", "column", "counted")
        for one in registry.memberships
    }
    measures = [
        _parts(one, "column", "sum", "count", "business_hours") for one in registry.measures
    ]
    return Counting(
        base=digest({"source": _parts(registry.source, *_OF_SOURCE), "rollups": rollups}),
        metrics={
            one.name: digest(
                {
                    "metric": _parts(one, "name", "event", "kind", "distinct"),
                    "membership": memberships.get(one.name),
                    "measures": measures,  # of a count too, whose row has them as 0
                }
            )
            for one in registry.metrics
        },
        dimensions={one.name: digest(_parts(one, "name", "column")) for one in registry.dimensions},
        stored={
            one.name: one.column for one in event(registry).columns if one.role in ("id", "measure")
        },
    )


def difference(before: Counting, after: Counting) -> Difference:
    """Tell what `after` counts otherwise than `before`."""
    is_everything = before.base != after.base
    return Difference(
        is_everything=is_everything,
        metrics=tuple(after.metrics) if is_everything else _changed(before.metrics, after.metrics),
        dimensions=_changed(before.dimensions, after.dimensions),
        metrics_gone=_gone(before.metrics, after.metrics),
        dimensions_gone=_gone(before.dimensions, after.dimensions),
    )


def is_explained(found: Difference, registry: Registry, column: str) -> bool:
    """Tell whether a column of ours is new because all that is counted by it is."""
    named, dimensions = event(registry), registry.dimensions
    measures = {column for one in registry.measures for column in (one.sum, one.count)}
    is_of_measure = column in measures or column in named.measures.values()
    users = [
        *(d.name in found.dimensions for d in dimensions if named.dimensions[d.name] == column),
        *(
            one.metric in found.metrics
            for one in registry.memberships
            if named.members[one.column] == column
        ),
        *(one.name in found.metrics for one in registry.metrics if is_of_measure),
    ]
    return bool(users) and all(users)


def digest(content: dict[str, Any]) -> str:
    """Give the SHA-256 of what JSON can hold, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _parts(table: object, *names: str) -> dict[str, Any]:
    return {name: getattr(table, name) for name in names}


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, one in after.items() if before.get(name) != one)


def _gone(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(before.keys() - after.keys()))
