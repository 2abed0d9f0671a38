"""The pages of the documentation, and what they show: blocks of code, and commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCS = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
PAGES = {"README.md": README, **{f"docs/{name}": text for name, text in DOCS.items()}}
"""By their paths in the project."""

WRITTEN = {name: text for name, text in PAGES.items() if name != "docs/reference.md"}
"""The pages that show commands to run; the reference shows what each one takes."""


def blocks(language: str, page: str) -> list[str]:
    """Give the blocks of code in a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def block(marker: str, page: str, language: str = "sql") -> str:
    """Give the one block of a page that has a text in it."""
    [found] = [one for one in blocks(language, page) if marker in one]
    return found


def prose(page: str) -> str:
    """Give a page without blocks of code and code in its lines."""
    return re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE))


def lines_of_shell(page: str) -> list[str]:
    """Give the commands in the blocks for a shell, without comments, each on one line."""
    text = "".join(blocks("sh", page)).replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def commands(page: str) -> list[str]:
    """Give the commands of the program, each once: those in blocks and those in sentences."""
    in_sentences = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    found = [
        *lines_of_shell(page),
        *(" ".join(one.split()) for one in re.findall(r"`(python -m [^`]*)`", in_sentences)),
    ]
    start = "python -m generator "
    own = (line.removeprefix(start) for line in found if line.startswith(start))
    return list(dict.fromkeys(own))


def anchors(page: str) -> set[str]:
    """Give the anchors of a page's headings, as the web has them."""
    text = re.sub(r"^```.*?^```", "", page, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
