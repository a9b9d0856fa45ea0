"""Reading the project's pages: their fenced blocks and their headings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LANGUAGE = ROOT / "docs" / "language.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(\S*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: what it is tagged, its text, and the line it begins in."""

    tag: str
    text: str
    line: int


def blocks(page: Path, tag: str) -> list[Block]:
    """The blocks of a page with a tag, in order."""
    text = page.read_text("utf-8")
    found = [Block(one[1], one[2], text.count("\n", 0, one.start()) + 1) for one in _FENCE.finditer(text)]
    return [block for block in found if block.tag == tag]


def anchors(page: Path) -> set[str]:
    """What a link inside the page may point to."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in _HEADING.findall(text)}


def named(block: Block) -> str:
    """A block's name in the list of tests."""
    return f"line-{block.line}"
