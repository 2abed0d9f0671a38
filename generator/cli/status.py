"""`status`: what is installed, and how each account stands."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from generator.cli.codes import DIFFERENT, WELL
from generator.cli.console import as_json, errors, say, table
from generator.cli.options import session_of, with_database, with_registry
from generator.escaping import visible
from generator.operate.status import Report, inspect

if TYPE_CHECKING:
    from generator.registry import Registry


_COVERED = {"{(,)}": "all days", "{}": "no days"}


@click.command()
@with_database
@with_registry
@click.option("--json", "json_", is_flag=True, help="Print JSON, for programs.")
@click.option("--openmetrics", is_flag=True, help="Print numbers for Prometheus and the like.")
@click.option("--per-account", is_flag=True, help="With --openmetrics: those of each account, too.")
@click.option("--all", "all_", is_flag=True, help="List objects that are current, too.")
@click.option("--exit-code", is_flag=True, help="Exit with 2 where there is something to do.")
def status(
    database_url: str | None,
    registry_: Registry,
    json_: bool,
    openmetrics: bool,
    per_account: bool,
    all_: bool,
    exit_code: bool,
) -> None:
    """Show what is installed, and each account's zone, coverage and pending events.

    An object is CURRENT, OUTDATED, MISSING, DISABLED or ORPHANED, by comparing what the database
    holds with what the registry renders. Nothing is changed.

    With --exit-code it exits with 2 where `deploy` has something to do: an object is not current, a
    table lacks something, or another registry is deployed; or where an account is not
    covered on all days, or its time zone is not known; `off` is in order. So it does where
    verifications found differences that stand, and at each PROBLEM. --json says which.
    """
    if json_ and openmetrics:
        raise click.UsageError("--json or --openmetrics, not both")
    if per_account and not openmetrics:
        raise click.UsageError("--per-account goes with --openmetrics")
    with errors(), session_of(database_url) as session:
        report = inspect(session, registry_)
        if json_:
            as_json(_plain(report))
        elif openmetrics:
            from generator.operate.metrics import exposition, families  # only here: slow to import

            click.echo(exposition(families(report, per_account=per_account)), nl=False)
        else:
            _print(report, all_)
    if exit_code:
        sys.exit(_code(report))


def _code(report: Report) -> int:
    is_right = report.verified is None or not report.verified.differences
    return WELL if report.is_current and not report.uncovered and is_right else DIFFERENT


def _plain(report: Report) -> dict[str, Any]:
    return {
        "is_current": report.is_current,
        "deployment": report.deployment,
        "registry": {
            "deployed": (report.deployment or {}).get("registry_digest"),
            "given": report.registry_digest,
        },
        "objects": [
            {"kind": one.kind, "name": one.name, "table": one.table, "status": one.status}
            for one in report.objects
        ],
        "tables_lacking": report.lacking,
        "problems": report.problems,
        "changed_columns": [asdict(one) for one in report.changed_columns],
        "longest_id": report.longest_id,
        "accounts": report.accounts,
        "incomplete": report.incomplete,
        "pending_events": report.pending and report.pending.events,
        "verified": report.verified and asdict(report.verified),
    }


def _print(report: Report, all_: bool) -> None:
    if report.deployment is None:
        _print_problems(report)
        if not report.problems:
            say("not deployed: run `python -m generator deploy`")
        return
    last = report.deployment
    known = "this registry" if report.is_registry_deployed else "ANOTHER REGISTRY"
    say(
        f"version {last['version']}, {known}, deployed {last['deployed_at']:%Y-%m-%d %H:%M:%S %Z} "
        f"by {visible(last['deployed_by'])}"
    )
    _print_objects(report, all_)
    if report.longest_id is not None:
        say(
            f"ids are text: a longer one than {report.longest_id} bytes counts as "
            "rollup.short_id() of it"
        )
    for column in report.changed_columns:
        say(f"{column}: no day is covered until `deploy` and `backfill`")
    _print_problems(report)
    if not report.is_current and not report.problems:
        say("run `python -m generator deploy` to mend that")
    if report.accounts:
        say()
        _print_accounts(report.accounts)
        if report.incomplete:
            say(f"incomplete until they are backfilled: {', '.join(report.incomplete)}")
        if report.pending and report.pending.events:
            say(f"pending in all: {report.pending.events}")
        if report.verified and report.verified.at:
            say(
                f"verified {report.verified.at:%Y-%m-%d %H:%M}; "
                f"{report.verified.verifications} verifications in the last day; "
                f"{report.verified.differences} differences now"
            )
            if report.verified.differences:
                say("see rollup.standing_differences; run `python -m generator verify --repair`")
    elif report.is_current:
        say("no accounts: give one a time zone with `python -m generator timezone ACCOUNT_ID ZONE`")


def _print_problems(report: Report) -> None:
    for problem in report.problems:
        say(f"PROBLEM: {problem}")
    if len(report.problems) > len(report.gone):
        say("mend that, or the registry, then run `python -m generator deploy`")


def _print_objects(report: Report, all_: bool) -> None:
    counts = Counter(one.status for one in report.objects)
    counts["MISSING"] += len(report.lacking)
    counts["OUTDATED"] += len(report.changed_columns)
    say("objects: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items()) if n))
    shown = [
        *(
            (one.status, one.kind, one.name, one.table)
            for one in report.objects
            if all_ or one.status != "CURRENT"
        ),
        *(("MISSING", "table", name, None) for name in report.lacking),
        *(("OUTDATED", "column", one.name, one.table) for one in report.changed_columns),
    ]
    if shown:
        table(["status", "kind", "name", "on"], shown)


def _print_accounts(accounts: list[dict[str, Any]]) -> None:
    table(
        ["account", "state", "time zone", "covered", "reads", "pending", "rebuilt", "verified"],
        (
            (
                one["account_id"],
                one["state"] + (f" ({one['setting']})" if one["state"].endswith("known") else ""),
                one["wanted"],
                _COVERED.get(one["covered"], one["covered"]),
                "on" if one["reads_enabled"] else "off",
                one["pending_events"],
                _moment(one["rebuilt_at"]),
                _moment(one["verified_at"]),
            )
            for one in accounts
        ),
    )


def _moment(at: Any) -> str | None:
    return f"{at:%Y-%m-%d %H:%M}" if at else None
