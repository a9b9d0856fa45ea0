"""Names in the settings that no rule has: said once, with what was most likely meant."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from engine.config import Settings, load_settings
from engine.language import read
from engine.language.program import Program
from engine.runtime.engine import Engine
from engine.runtime.unmatched import unmatched
from engine.runtime.workspaces import Workspaces

RULES = """\
Rule: weekly-news
Trigger: a
Action: send_email
Tags: promo, winback

Rule: digest
Trigger: a
Action: send_email
Purpose: news

Rule: receipt
Trigger: a
Action: send_receipt
Purpose: transactional
Tags: orders
"""
ONCE = "1 per person per day"


def settings(**given: Any) -> Settings:
    return load_settings(store="sqlite://", **given)


def told(rules: str = RULES, **given: Any) -> list[str]:
    return list(map(str, unmatched(settings(**given), [Program(one) for one in read(rules).rules])))


@pytest.mark.parametrize(
    "given",
    [
        {"caps": dict.fromkeys(("promo", "winback", "news", "marketing"), ONCE)},
        {"guard": {"exempt": ["send_receipt", "send_email", "bound"]}, "actions": {"bound": "log"}},
        {"guard": {"rules": {"weekly-news": 5, "receipt": 5}}},
        {},
    ],
    ids=str,
)
def test_names_that_rules_have_are_well(given: dict[str, Any]) -> None:
    assert told(**given) == []


@pytest.mark.parametrize(("given", "line"), [
    ({"caps": {"prmo": ONCE}},
     "[caps]: no rule that caps hold for has the tag or purpose 'prmo', so its cap holds for nothing; "
     "did you mean 'promo'?"),
    ({"caps": {"orders": ONCE}},
     "[caps]: no rule that caps hold for has the tag or purpose 'orders', so its cap holds for nothing; "
     "write it behind 'Tags:' in a rule, or take the cap out"),
    ({"caps": {"transactional": ONCE}},
     "[caps]: what is transactional passes every cap, so this one holds for nothing; "
     "take it out, or name a tag or another purpose"),
    ({"guard": {"exempt": ["send_reciept"]}},
     "[guard]: no rule has an action 'send_reciept', so nothing is exempt by that name; did you mean 'send_receipt'?"),
    ({"guard": {"exempt": ["xyz"]}},
     "[guard]: no rule has an action 'xyz', so nothing is exempt by that name; "
     "write the name of an action, or take it out of 'exempt'"),
    ({"guard": {"exempt": ["digest"]}},
     "[guard]: no rule has an action 'digest', so nothing is exempt by that name; "
     "it is a rule's: a rule has a limit of its own in [guard.rules]"),
    ({"guard": {"rules": {"weekly-nws": 5}}},
     "[guard.rules]: there is no rule 'weekly-nws', so its limit holds for nothing; did you mean 'weekly-news'?"),
    ({"guard": {"rules": {"xyz": 5}}},
     "[guard.rules]: there is no rule 'xyz', so its limit holds for nothing; "
     "write a rule's id, as 'lapse rules' shows it, or take the line out"),
])  # fmt: skip
def test_any_other_is_told_with_what_to_do(given: dict[str, Any], line: str) -> None:
    assert told(**given) == [line]


def test_without_rules_nothing_is_said() -> None:
    assert told("", caps={"promo": ONCE}) == []


def test_the_engine_says_it_once_when_it_loads(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.rules").write_text(RULES)
    with Engine.open(settings=settings(caps={"prmo": ONCE})) as engine:
        for _ in range(2):
            engine.load(tmp_path)
    assert _warnings(caplog) == told(caps={"prmo": ONCE})


def test_nothing_is_said_where_actions_go_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.rules").write_text(RULES)
    with Engine.open(settings=settings(caps={"prmo": ONCE}), fallback=_Nowhere()) as engine:
        engine.load(tmp_path)
    assert _warnings(caplog) == []


def test_rules_of_all_workspaces_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, tag in (("one", "promo"), ("two", "orders")):
        (tmp_path / f"{name}.rules").write_text(f"Rule: r\nTrigger: a\nTags: {tag}\n")
    given = settings(
        rules=tmp_path / "one.rules",
        workspaces={"two": {"rules": tmp_path / "two.rules"}},
        caps=dict.fromkeys(("promo", "orders", "xyz"), ONCE),
    )
    with Workspaces(given) as workspaces:
        workspaces.create("two")
        workspaces.load()
        (tmp_path / "two.rules").touch()
        assert [workspaces.reload_changed() is not None for _ in range(2)] == [False, True]
        with Engine.open(settings=given) as engine:
            engine.load(tmp_path / "one.rules")
    (line,) = _warnings(caplog)
    assert "'xyz'" in line


class _Nowhere:
    def send(self, action: object) -> None:
        raise AssertionError(action)


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
