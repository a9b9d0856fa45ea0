"""The page of modules: every file below ``engine`` is on it, with the first sentence of its docstring.

``UPDATE_DOCS=1 pytest tests/docs/test_modules_page.py`` writes the page anew.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "modules.md"
OPENING = """\
# Every module

What each file of `engine/` holds, by its first sentence. [The architecture](architecture.md) says how they belong
together. This page is written by `UPDATE_DOCS=1 pytest tests/docs/test_modules_page.py`.
"""
NEVER = ("migrations/versions",)
"""Folders whose files have no page: a migration is named after what it does."""


def modules() -> Iterator[Path]:
    for path in sorted((ROOT / "engine").rglob("*.py"), key=lambda one: (one.parent.as_posix(), one.name)):
        if path.stat().st_size and not any(part in path.as_posix() for part in NEVER):
            yield path


@cache
def sentence(path: Path) -> str:
    """Return what a module says of itself first, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split())
    end = first.find(". ")
    return (first if end < 0 else first[:end]).rstrip(".:").replace("|", "\\|")


def written() -> str:
    parts = [OPENING]
    for folder, paths in groupby(modules(), key=lambda path: path.parent):
        rows = "".join(f"| `{path.name}` | {sentence(path)} |\n" for path in paths)
        parts.append(f"\n## `{folder.relative_to(ROOT).as_posix()}/`\n\n| file | |\n|---|---|\n{rows}")
    return "".join(parts)


def test_every_module_says_what_it_holds() -> None:
    silent = [str(path.relative_to(ROOT)) for path in modules() if not sentence(path)]
    assert not silent


def test_the_page_has_every_module() -> None:
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(written(), "utf-8")
    found = PAGE.read_text("utf-8")
    missing = [
        str(path.relative_to(ROOT)) for path in modules() if f"| `{path.name}` | {sentence(path)} |" not in found
    ]
    assert not missing, "UPDATE_DOCS=1 pytest tests/docs/test_modules_page.py writes the page anew"
    assert found == written()
