"""A report as one self-contained page of HTML: render() asks for its figures and writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from generator import __version__
from generator.errors import RollupError
from generator.escaping import visible
from generator.report.page import wording
from generator.report.page.figures import ask
from generator.report.page.periods import Scope

if TYPE_CHECKING:
    from generator.database.connection import Connection
    from generator.registry import Registry
    from generator.report.page.findings import Findings

__all__ = ["Scope", "render", "write"]


def render(session: Connection, registry: Registry, scope: Scope) -> str:
    """Ask for an account's figures in a period, of one snapshot, and write them as a page.

    A RollupError where matplotlib, which draws the charts, is not installed, or where the registry
    has no reports to show.
    """
    _require_matplotlib()
    return write(ask(session, registry, scope))


def write(findings: Findings) -> str:
    """Write a page of what has been found: HTML that needs neither a network nor scripts."""
    _require_matplotlib()
    from generator.report.page.charts import draw

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "amount": wording.amount,
        "bucket": wording.bucket,
        "days": wording.days,
        "exactly": wording.exactly,
        "label": wording.label,
        "name": wording.name,
        "number": wording.number,
        "plain": wording.plain,
        "remark": wording.remark,
        "span": wording.span,
        "time": wording.time,
    }
    template = made.get_template("page.html.j2")
    return template.render(found=findings, draw=draw, change=wording.change, version=__version__)


def _shown(value: object) -> object:
    """Show a text of others without what acts in it; what is HTML already stays as it is."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return visible(value)
    return value


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401 (whether it is there)
    except ModuleNotFoundError as error:
        raise RollupError(
            "a page of HTML has charts, and matplotlib, which draws them, is not installed",
            hint="pip install 'reporting-rollups[report]'",
        ) from error
