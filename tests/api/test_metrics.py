"""What Prometheus is told of rules, channels and pauses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.api import rule_metrics
from engine.delivery.channels import SendError
from engine.runtime import pausing
from engine.runtime.recording import GONE
from tests.api.conftest import Api

RULES = """\
Rule: offer
Trigger: a
Action: hello
Goal: bought within 1 day
Holdout: 50%
Exit: stop

Rule: plain
Trigger: b
Action: goodbye
"""
FRESH = f"{rule_metrics.FRESH // 1_000_000} seconds"


Labels = dict[str, str]


def figures(api: Api, name: str) -> list[tuple[Labels, float]]:
    """The labels and the value of each figure of a name."""
    families = text_string_to_metric_families(api.get("/metrics").text)
    return [(one.labels, one.value) for family in families for one in family.samples if one.name == name]


def figure(api: Api, name: str, **labels: str) -> float:
    """The one with just these labels."""
    (value,) = (value for found, value in figures(api, name) if found == labels)
    return value


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """A rule with a goal and a holdout that acted on many, and one whose action is dead."""
    made = make_api(RULES)

    @made.engine.action("goodbye")
    def refuse(_action: object) -> None:
        raise SendError("nobody is there", permanent=True)

    made.engine.ingest([{"event": "a", "user_id": f"u{number}"} for number in range(20)])
    made.engine.ingest({"event": "b", "user_id": "ann"})
    made.move("1 second")
    made.engine.ingest([{"event": "bought", "user_id": f"u{number}"} for number in range(10)])
    made.engine.settle()
    return made


def test_every_figure_of_a_rule(api: Api) -> None:
    counts = {one.rule: one for one in api.engine.counts_by_rule()}
    offer = counts["offer"]

    def of(name: str, rule: str = "offer", **more: str) -> float:
        return figure(api, f"lapse_{name}", workspace="default", rule=rule, **more)

    assert of("rule_journeys", state="acted") == offer.acted == 20
    assert of("rule_journeys", state="ended") == of("rule_journeys", state="waiting") == of("rule_exited") == 0
    assert of("rule_acted", held_out="true") == offer.held_out_acted > 0
    assert of("rule_acted", held_out="false") == offer.acted - offer.held_out_acted > 0
    assert of("rule_converted", held_out="true") == offer.held_out_converted
    assert of("rule_converted", held_out="false") == offer.converted == 10 - offer.held_out_converted
    assert of("actions", state="sent") == offer.delivered
    assert of("actions", state="suppressed") == offer.suppressed == offer.held_out_acted
    assert of("actions", "plain", state="dead") == 1
    assert {labels["rule"] for labels, _ in figures(api, "lapse_rule_converted")} == {"offer"}
    assert sum(value for _, value in figures(api, "lapse_deliveries")) == offer.delivered + 1
    assert figure(api, "lapse_deliveries", channel="python", state="dead") == 1


def test_they_are_read_anew_when_they_are_old_and_not_before(api: Api) -> None:
    def acted() -> float:
        return figure(api, "lapse_rule_journeys", workspace="default", rule="plain", state="acted")

    assert acted() == 1
    api.engine.ingest({"event": "b", "user_id": "bob"})
    api.move("1 second")
    assert acted() == 1
    api.move(FRESH)
    assert acted() == 2


@pytest.mark.parametrize(("most", "alone"), [(0, []), (1, ["offer"]), (2, ["offer", "plain"])])
def test_so_many_rules_are_told_one_by_one(make_api: Callable[..., Api], most: int, alone: list[str]) -> None:
    api = make_api(RULES, api={"metric_rules": most})
    for name in "ab":
        api.engine.ingest({"event": name, "user_id": "ann"})
    api.move("1 second")
    found = {
        (labels["workspace"], labels["rule"]): value
        for labels, value in figures(api, "lapse_rule_journeys")
        if labels["state"] == "acted"
    }
    assert [rule for workspace, rule in found if workspace] == alone
    assert found.get(("", rule_metrics.OTHERS), 0) == 2 - len(alone)
    assert sum(found.values()) == 2


def test_what_is_paused_and_by_whom(api: Api) -> None:
    def paused(name: str) -> set[tuple[str, ...]]:
        assert all(value == 1 for _, value in figures(api, name))
        return {tuple(labels.values()) for labels, _ in figures(api, name)}

    assert paused("lapse_rule_paused") == paused("lapse_delivery_paused") == set()
    api.engine.pause("plain")
    api.engine.writer.run(lambda connection: pausing.stop(connection, api.engine.workspace, "offer", 1, "too much"))
    api.engine.pause_delivery("log", GONE)
    api.other.pause_delivery()
    api.other.pause_delivery("python", "somebody asked for it")
    # reason, rule, workspace; and channel, reason, workspace
    assert paused("lapse_rule_paused") == {("hand", "plain", "default"), ("guard", "offer", "default")}
    assert paused("lapse_delivery_paused") == {
        ("log", "gone", "default"), ("*", "hand", "other"), ("python", "other", "other"),
    }  # fmt: skip
    api.engine.resume_delivery("log")
    assert len(paused("lapse_delivery_paused")) == 2
