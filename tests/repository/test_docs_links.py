"""Links and names in the documentation lead to something that exists."""

from __future__ import annotations

import re

import pytest

from docs.objects import described
from generator.registry import load
from generator.render.objects import render
from tests.support.pages import DOCS, PAGES, ROOT, WRITTEN, anchors, prose

LINKING = {
    **PAGES,
    "CHANGELOG.md": (ROOT / "CHANGELOG.md").read_text("utf-8"),
    "sql/README.md": (ROOT / "sql" / "README.md").read_text("utf-8"),
}
SETTINGS = {"rollup.reads", "rollup.lateness", "rollup.append_until"}
TRIGGER = "rollup_after_"
UNCLEAR = r"\b(?:nobody|somebody|anybody|everybody|whoever)\b"
"""Words for a session, a role or a caller that do not say which."""


def _links(page: str) -> list[str]:
    return re.findall(r"\]\((?!https?://)([^)\s]+)\)", page)


@pytest.mark.parametrize("name", LINKING)
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(name: str) -> None:
    for target in _links(LINKING[name]):
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text("utf-8")), target


def test_every_page_is_in_the_index() -> None:
    linked = {target.partition("#")[0] for target in _links(DOCS["README.md"])}
    assert set(DOCS) - {"README.md"} <= linked


@pytest.mark.parametrize("name", PAGES)
def test_every_object_that_a_page_names_exists(name: str) -> None:
    known = {one.name for one in described(render(load()))} | SETTINGS
    named = set(re.findall(r"(?<![\w.*'])rollup\.[a-z]\w+", PAGES[name]))
    assert {one for one in named if "_yoyo" not in one} <= known
    triggers = {one.name for one in described(render(load())) if one.kind == "trigger"}
    assert set(re.findall(rf"\b{TRIGGER}\w+", PAGES[name])) <= triggers | {f"{TRIGGER}change"}


@pytest.mark.parametrize("name", WRITTEN)
def test_sentences_name_who_or_what_they_are_about(name: str) -> None:
    assert re.findall(UNCLEAR, prose(WRITTEN[name]), re.IGNORECASE) == []
