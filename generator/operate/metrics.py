"""The state of a database as numbers, for systems that collect and watch such numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, get_args

from generator.deploy.catalog import Status
from generator.operate.openmetrics import Family, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.operate.status import Report

PREFIX = "reporting_rollups"


def families(report: Report, *, per_account: bool = False) -> Iterator[Family]:
    """Count what a report lists; `per_account`, tell it of each account as well.

    What is not known, because nothing is deployed, is left out.
    """
    if report.deployment:
        labels = {
            "version": report.deployment["version"],
            "registry": report.deployment["registry_digest"],
        }
        yield Family(
            name=PREFIX,
            kind="info",
            help="What is deployed.",
            samples=(Sample(value=1, labels=labels),),
        )
        yield Family(
            name=f"{PREFIX}_deployed_timestamp_seconds",
            unit="seconds",
            help="When something was last deployed.",
            samples=(Sample(value=report.deployment["deployed_at"].timestamp()),),
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
        yield Family(
            name=f"{PREFIX}_verified_timestamp_seconds",
            unit="seconds",
            help="When something was last verified.",
            samples=(Sample(value=report.verified.at.timestamp()),),
        )
        yield _gauge(
            "verification_differences",
            "How many differences were found and not seen gone since.",
            report.verified.differences,
        )
    if per_account:
        yield from _of_accounts(report)


def _of_accounts(report: Report) -> Iterator[Family]:
    uncovered = {one["account_id"] for one in report.uncovered}
    yield Family(
        name=f"{PREFIX}_account_is_covered",
        help="Whether an account is switched off, or covered on all days.",
        samples=tuple(
            Sample(
                value=int(one["account_id"] not in uncovered),
                labels={"account": str(one["account_id"])},
            )
            for one in report.accounts
        ),
    )
    yield Family(
        name=f"{PREFIX}_account_pending_events",
        help="How many events of an account are to be folded.",
        samples=tuple(
            Sample(value=one["pending_events"], labels={"account": str(one["account_id"])})
            for one in report.accounts
        ),
    )


def _statuses(report: Report) -> Mapping[str, int]:
    counts = Counter(dict.fromkeys(get_args(Status), 0))
    counts.update(one.status for one in report.objects)
    counts["MISSING"] += len(report.lacking)
    return counts


def _gauge(name: str, help_: str, value: float) -> Family:
    return Family(name=f"{PREFIX}_{name}", help=help_, samples=(Sample(value=value),))


def _counted(name: str, help_: str, label: str, counts: Mapping[str, int]) -> Family:
    samples = (
        Sample(value=count, labels={label: value}) for value, count in sorted(counts.items())
    )
    return Family(name=f"{PREFIX}_{name}", help=help_, samples=tuple(samples))
