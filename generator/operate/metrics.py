"""The state of a database as numbers, for systems that collect and watch such numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from generator.deploy.catalog import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from prometheus_client import Metric

    from generator.operate.status import Report

PREFIX = "reporting_rollups"


@dataclass(frozen=True, slots=True, eq=False)
class _Collected(Collector):
    families: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def exposition(families: Iterable[Metric]) -> bytes:
    """Write families in their order, as text in the OpenMetrics format, version 1.0."""
    registry = CollectorRegistry()
    registry.register(_Collected(families))
    text: bytes = generate_latest(registry)
    return text


def families(report: Report, *, per_account: bool = False) -> Iterator[Metric]:
    """Count what a report lists; `per_account`, tell it of each account as well.

    What is not known, because nothing is deployed, is left out.
    """
    if report.deployment:
        labels = {
            "version": report.deployment["version"],
            "registry": report.deployment["registry_digest"],
        }
        yield InfoMetricFamily(PREFIX, "What is deployed.", labels)
        yield _timestamp(
            "deployed", "When something was last deployed.", report.deployment["deployed_at"]
        )
    yield _gauge(
        "is_current", "Whether everything is as the registry renders it.", int(report.is_current)
    )
    yield _counted("objects", "How many objects stand how.", "status", _statuses(report))
    if report.pending is None:
        return
    states = Counter(one["state"] for one in report.accounts)
    yield _counted("accounts", "How many accounts are in which state.", "state", states)
    yield _gauge(
        "uncovered_accounts",
        "How many accounts take part and are not covered on all days.",
        len(report.uncovered),
    )
    yield _gauge("pending_events", "How many events are to be folded.", report.pending.events)
    yield _gauge(
        "pending_ids",
        "From the oldest event that is to be folded to the newest: how many have come.",
        report.pending.ids,
    )
    if report.verified and report.verified.at:
        yield _timestamp("verified", "When something was last verified.", report.verified.at)
        yield _gauge(
            "verification_differences",
            "How many differences were found and not seen gone since.",
            report.verified.differences,
        )
    if per_account:
        yield from _of_accounts(report)


def _of_accounts(report: Report) -> Iterator[Metric]:
    uncovered = {one["account_id"] for one in report.uncovered}
    yield _counted(
        "account_is_covered",
        "Whether an account is switched off, or covered on all days.",
        "account",
        {one["account_id"]: one["account_id"] not in uncovered for one in report.accounts},
    )
    yield _counted(
        "account_pending_events",
        "How many events of an account are to be folded.",
        "account",
        {one["account_id"]: one["pending_events"] for one in report.accounts},
    )


def _statuses(report: Report) -> Mapping[str, int]:
    counts = Counter(dict.fromkeys(get_args(Status), 0))
    counts.update(one.status for one in report.objects)
    counts["MISSING"] += len(report.lacking)
    return counts


def _gauge(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}", help_, value)


def _timestamp(name: str, help_: str, at: datetime) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}_{name}_timestamp", help_, at.timestamp(), unit="seconds")


def _counted(name: str, help_: str, label: str, counts: Mapping[Any, int]) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", help_, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([str(value)], count)
    return family
