"""From an action to its message."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine import Engine
from engine.config import load_settings
from engine.delivery.channels import Message, Outgoing, SendError
from engine.delivery.templates import Templates
from engine.delivery_settings import TemplateSettings
from engine.errors import ConfigError

ACTION = Outgoing(
    "act_1", "cart", "u1", "3", "send_email", "reminder", 1_767_600_000_000_000, 1,
    {"with": {"total": 80}, "to": "a@b.c", "person": {"city": "Kraków"}, "variant": "pl"},
    unsubscribe_url="https://shop.example/u",
)  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Templates:
    (tmp_path / "reminder.subject").write_text("{{ with.total }} in {{ person.city }}")
    (tmp_path / "reminder.txt").write_text("{{ 'now' | date: '%Y-%m-%d' }} {{ person.nick }}{{ unsubscribe_url }}")
    (tmp_path / "broken.txt").write_text("\n{% if %}")
    return Templates(TemplateSettings(folder=tmp_path))


def test_a_message_is_made_of_the_frozen_variables(made: Templates) -> None:
    assert made.message(ACTION) == Message("80 in Kraków", "2026-01-05 https://shop.example/u", None)


def test_an_action_without_a_template_or_without_its_files_has_no_message(made: Templates) -> None:
    assert made.message(replace(ACTION, template=None)) is None
    assert made.message(replace(ACTION, template="other")) is None
    assert made.message(replace(ACTION, template="../reminder")) is None


def test_a_template_that_fails_is_not_tried_again(made: Templates, tmp_path: Path) -> None:
    with pytest.raises(SendError) as caught:
        made.message(replace(ACTION, template="broken"))
    assert caught.value.permanent
    assert str(caught.value).startswith(f"{tmp_path}/broken.txt:2:4: something is missing here; ")


def test_a_mail_names_a_template_unless_a_function_carries_it_out(tmp_path: Path) -> None:
    rules = tmp_path / "r.rules"
    rules.write_text("Rule: r\nTrigger: go\nAction: greet\n")
    settings = load_settings(
        store=f"sqlite:///{tmp_path / 'lapse.db'}",
        channels={"post": {"type": "email", "host": "localhost", "from": "a@shop.example"}},
        actions={"greet": "post"},
    )
    with pytest.raises(ConfigError, match="'greet' sends mail, and names no template to make it by"):
        Engine.open(rules=rules, settings=settings)
    with Engine.open(rules=rules, settings=settings, actions={"greet": lambda action: None}) as engine:
        assert engine.live.rules
