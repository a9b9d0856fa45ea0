"""The pages of the dialects: every test they name is there, and so is everything that is not as it is printed."""

from __future__ import annotations

import ast
import re

import pytest

from tests.api import test_flameup, test_flokit, test_flownally_document
from tests.docs.pages import ROOT

PAGES = ("flokit", "flownally", "flameup", "segment")
NAMED = re.compile(r"`(test_\w+)`")
TESTS = {
    node.name
    for folder in ("api", "sdks")
    for path in (ROOT / "tests" / folder).glob("test_*.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.FunctionDef)
}


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_is_there(page: str) -> None:
    named = NAMED.findall((ROOT / "docs" / f"{page}.md").read_text("utf-8"))
    assert len(named) > 20
    assert [one for one in named if one not in TESTS] == []


@pytest.mark.parametrize(
    ("page", "listed"),
    [
        ("flokit", test_flokit.NOT_AS_PRINTED),
        ("flownally", test_flownally_document.NOT_AS_PRINTED),
        ("flameup", test_flameup.NOT_AS_PRINTED),
    ],
)
def test_what_is_not_as_printed_is_on_the_page(page: str, listed: dict[str, str]) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    for printed, why in listed.items():
        assert f"| `{printed}` | {why} |" in text
