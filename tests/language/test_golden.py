"""Whole files and all that is said of them, word for word, in golden files beside their inputs.

A file's name carries its verdict and the code it is about. Files in ``known`` are read with a catalog, those in
``cases`` are rule tests. ``UPDATE_GOLDEN=1 pytest tests/language/test_golden.py`` writes the golden files anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.language import Catalog, Diagnostic, read, read_cases
from engine.language.codes import CODES
from engine.language.source import Source

GOLDEN = Path(__file__).parent / "golden"
INPUTS = sorted(GOLDEN.rglob("*.rules"))

CATALOG = Catalog(
    events={
        "cart_updated": {"cart_id": "text", "cart_total": "number", "currency": "text"},
        "purchase_completed": {"cart_id": "text", "total": "number", "currency": "text"},
        "signed_up": {},
    },
    attributes={"country": "text", "plan": "text", "currency": "text", "trial_end": "date", "email": "text"},
    actions=frozenset({"send_email", "send_push"}),
)

ELSEWHERE = {
    "not-utf-8",
    "file-too-large",
    "clause-too-long",
    "too-many-rules",
    "renamed",
    "unknown-rule",
    "past-date",
    "unused-directive",
}
"""Codes that take more than a file to show; they are tested beside the files, the caps and the renames."""


def findings(path: Path) -> tuple[tuple[Diagnostic, ...], Source]:
    text = path.read_text(encoding="utf-8")
    if path.parent.name == "cases":
        cases = read_cases(text, path.name)
        return cases.diagnostics, cases.source
    reading = read(text, path.name, catalog=CATALOG if path.parent.name == "known" else None)
    return reading.diagnostics, reading.source


def code_in(path: Path) -> str | None:
    """The code a file is about: the longest that its name begins with."""
    _, _, about = path.name.removesuffix(".rules").removesuffix(".test").partition("-")
    return max((code for code in CODES if f"{about}-".startswith(f"{code}-")), key=len, default=None)


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: str(path.relative_to(GOLDEN)))
def test_what_is_said_of_a_file(path: Path) -> None:
    found, source = findings(path)
    said = "".join(f"{diagnostic.render(source)}\n" for diagnostic in found)
    beside = path.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        beside.write_text(said, encoding="utf-8")
    assert said == beside.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: str(path.relative_to(GOLDEN)))
def test_the_name_tells_the_verdict(path: Path) -> None:
    found, _ = findings(path)
    verdict = path.name.partition("-")[0]
    severities = {diagnostic.severity for diagnostic in found}
    assert verdict == ("error" if "error" in severities else "warning" if severities else "clean")
    code = code_in(path)
    assert code is None or code in {diagnostic.code for diagnostic in found}


def test_every_code_has_a_file() -> None:
    assert {code_in(path) for path in INPUTS} - {None} == set(CODES) - ELSEWHERE


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: str(path.relative_to(GOLDEN)))
def test_messages_keep_the_style(path: Path) -> None:
    for diagnostic in findings(path)[0]:
        for words in (diagnostic.message, diagnostic.help or "do"):
            assert not words.endswith((".", "!"))
            assert words[0] == words[0].lower() or words.startswith(("OR ", "AND "))


def test_a_fix_removes_what_it_fixes() -> None:
    """Applying a fix never leaves the same finding at the same place."""
    for path in INPUTS:
        for diagnostic in findings(path)[0]:
            if diagnostic.fix:
                text = path.read_text(encoding="utf-8")
                start, end = diagnostic.fix.span
                again = read(text[:start] + diagnostic.fix.text + text[end:])
                assert diagnostic not in again.diagnostics, path.name
