"""Completion of the names in a registry: reports, and dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from generator import registry
from generator.errors import RollupError

if TYPE_CHECKING:
    import click


def reports(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the reports of the registry that begin with what is typed."""
    known = _registry(context)
    return _offer([one.report for one in known.readings] if known else [], incomplete)


def dimensions(
    context: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the dimensions of the registry that begin with what is typed."""
    known = _registry(context)
    return _offer([one.name for one in known.dimensions] if known else [], incomplete)


def _registry(context: click.Context) -> registry.Registry | None:
    """Give the registry of --registry, or the packaged one; nothing where it cannot be read."""
    given = context.params.get("registry_")
    if isinstance(given, registry.Registry):
        return given
    try:
        return registry.load()
    except RollupError:
        return None


def _offer(names: list[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
