"""The vendors' own examples in the README get the answers that stand below them."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from tests.docs.pages import README, Block, blocks, named

from .conftest import Api

EXAMPLES = [one for one in blocks(README, "console") if one.text.startswith("$ curl")]

MADE_HERE = [
    (re.compile(r"\b(evt_|evt-type_|tn_)[0-9A-Za-z]{26,32}\b"), r"\1..."),
    (re.compile(r"\b20\d\d-\d\d-\d\dT[\d:.]+Z\b"), "now"),
]
"""Ids by their form, and the server's times."""


def said(answer: str) -> Any:
    for form, short in MADE_HERE:
        answer = form.sub(short, answer)
    return json.loads(answer)


def test_there_is_one_for_each_vendor_with_curl() -> None:
    assert [re.findall(r":8080/(\w+)/", one.text) for one in EXAMPLES] == [["flokit"], ["flownally"], ["flameup"]]


@pytest.mark.parametrize("block", EXAMPLES, ids=named)
def test_the_answer_is_the_one_shown(api: Api, block: Block) -> None:
    command, shown = block.text.strip().split("\n", 1)
    words = shlex.split(command.removeprefix("$ "))
    path = words[3].removeprefix("http://127.0.0.1:8080")
    answer = api.ask(words[2], path, json.loads(words[words.index("-d") + 1]))
    assert answer.is_success
    assert said(answer.text) == said(shown)
