"""The native API: the engine's verdicts, its views, page by page."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from engine.api.native import BATCH
from engine.api.native_paging import LONGEST_PAGE
from engine.clock import HOUR, iso
from engine.receipt import Rejection
from tests.api.conftest import Api
from tests.corpus.odd_inputs import FINE, NOW, ODD, ODD_JSON, Odd

RULES = """\
Rule: cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "cart"
"""


def event(number: int = 0, **more: object) -> dict[str, object]:
    return {"event": "signed_up", "user_id": f"u-{number}", **more}


@pytest.fixture
def odd_api(api: Api) -> Api:
    api.clock.set(NOW)
    return api


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
def test_odd_items_get_the_engine_s_verdict(odd_api: Api, odd: Odd) -> None:
    (verdict,) = odd_api.engine.ingest([odd.item]).outcomes
    assert isinstance(verdict, Rejection)
    if odd.code == "too_deep" and not json_like(odd.item):
        assert odd_api.post("/v1/events", b"[" * 500_000).status_code == 400
        return
    batch = odd_api.post("/v1/events/batch", {"events": [odd.item]})
    assert batch.status_code == 200, batch.text
    said = {"code": verdict.code, "reason": verdict.reason, "field": verdict.field}
    assert batch.json()["outcomes"] == [{"index": 0, "status": "rejected", **said}]
    if isinstance(odd.item, dict):
        single = odd_api.post("/v1/events", odd.item)
        assert (single.status_code, single.json()["error"]["code"]) == (422, odd.code)


@pytest.mark.parametrize("fine", FINE, ids=lambda fine: fine.name)
def test_fine_items_are_taken(odd_api: Api, fine: Odd) -> None:
    if not json_like(fine.item):
        pytest.skip("JSON cannot say it")
    assert odd_api.post("/v1/events", fine.item).json()["status"] == "accepted"


def json_like(item: object) -> bool:
    try:
        return bool(json.loads(json.dumps(item)) == item)
    except (TypeError, ValueError, RecursionError):
        return False


@pytest.mark.parametrize("odd", ODD_JSON, ids=lambda odd: odd.name)
def test_odd_text_is_refused_or_its_event_is(odd_api: Api, odd: Odd) -> None:
    text = odd.item if isinstance(odd.item, bytes) else odd.item.encode()
    answer = odd_api.post("/v1/events", text)
    limits = {"too_large"} if len(text) > odd_api.engine.settings.api.body_bytes else set()
    assert answer.status_code in (400, 422, *(413 for _ in limits)), answer.text
    assert answer.json()["error"]["code"] in {"malformed", odd.code, *limits}


def test_a_batch_has_from_one_to_a_thousand_events(api: Api) -> None:
    answer = api.post("/v1/events/batch", {"events": [event(number) for number in range(BATCH)]})
    assert answer.json()["accepted"] == BATCH
    for events in ([], [event()] * (BATCH + 1), None, "x", {}):
        answer = api.post("/v1/events/batch", {"events": events})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "events")
    assert api.post("/v1/events/batch", [event()]).status_code == 400


def test_what_is_wrong_with_one_spoils_no_other(api: Api) -> None:
    sent = [event(1, message_id="m"), {"event": ""}, event(1, message_id="m"), event(2, message_id="m"), 7]
    answer = api.post("/v1/events/batch", {"events": sent}).json()
    assert [one["status"] for one in answer["outcomes"]] == [
        "accepted",
        "rejected",
        "duplicate",
        "duplicate",
        "rejected",
    ]
    assert [one.get("conflict") for one in answer["outcomes"]] == [False, None, False, True, None]
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (1, 2, 2)
    assert answer["outcomes"][2]["id"] == answer["outcomes"][0]["id"]


def test_an_alias_makes_two_users_one(api: Api) -> None:
    api.post("/v1/events", {"event": "signed_up", "user_id": "old"})
    api.post("/v1/events", {"event": "paid", "user_id": "ann"})
    answer = api.post("/v1/events", {"type": "identify", "user_id": "ann", "previous_id": "old"})
    assert answer.status_code == 200, answer.text
    found = api.engine.person("old")
    assert found is not None
    assert found.identifiers == [("user", "ann"), ("user", "old")]
    assert [name for _, name, _ in found.timeline] == ["paid", "signed_up"]


def test_identify_links(api: Api) -> None:
    api.post("/v1/events", {"event": "page_viewed", "anonymous_id": "a"})
    api.clock.move("1 second")
    api.post("/v1/events", {"type": "identify", "user_id": "ann", "anonymous_id": "a", "traits": {"plan": "free"}})
    person = api.get("/v1/people/ann").json()
    assert person["identifiers"] == [{"kind": "user", "value": "ann"}, {"kind": "anonymous", "value": "a"}]
    assert person["attributes"] == {"plan": "free"}
    assert [one["event"] for one in person["timeline"]] == ["page_viewed", ""]
    assert api.get("/v1/people/a").json() == person


def test_events_are_looked_at_page_by_page(api: Api) -> None:
    api.post("/v1/events/batch", {"events": [event(number % 3) for number in range(10)]})
    seen, after = [], ""
    while after is not None:
        page = api.get(f"/v1/events?limit=4&after={after}").json()
        api.post("/v1/events", event(9))
        seen += [one["id"] for one in page["events"]]
        after = page["after"]
    assert len(seen) == len(set(seen)) == 10
    assert {one["person"] for one in api.get("/v1/events?person=u-1").json()["events"]} == {"u-1"}
    assert api.get("/v1/events?event=other").json() == {"events": [], "after": None}
    assert len(api.get("/v1/events?event=other&event=signed_up&limit=2").json()["events"]) == 2
    assert api.get("/v1/events?since=2026-01-01T00:00:00.000001Z").json()["events"] == []
    assert api.get("/v1/events?until=2026-01-01T00:00:00Z").json()["events"] == []


def test_a_page_is_bounded(api: Api) -> None:
    api.post("/v1/events/batch", {"events": [event(number) for number in range(LONGEST_PAGE + 1)]})
    assert len(api.get("/v1/events?limit=100000").json()["events"]) == LONGEST_PAGE


@pytest.mark.parametrize(
    "path",
    ["events?after=x", "events?since=yesterday", "events?limit=0", "events/counts?per=year", "events/counts?zone=Mars",
     "journeys?after=x", "deliveries?after=-1", "deliveries?state=ded", "journeys?limit=x"],
)  # fmt: skip
def test_questions_that_make_no_sense(api: Api, path: str) -> None:
    answer = api.get(f"/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")


def test_events_are_counted(api: Api) -> None:
    now = api.clock.now()
    times = [iso(now - hours * 3_600_000_000) for hours in (0, 1, 1, 30)]
    api.post("/v1/events/batch", {"events": [event(0, timestamp=at) for at in times]})
    counts = api.get("/v1/events/counts?per=hour").json()["counts"]
    assert [one["times"] for one in counts] == [1, 2, 1]
    assert counts[-1] == {"start": "2026-01-01T00:00:00Z", "event": "signed_up", "times": 1}
    assert [one["times"] for one in api.get("/v1/events/counts").json()["counts"]] == [1, 2, 1]
    assert api.get("/v1/events/counts?per=week&event=signed_up").json()["counts"][-1]["times"] == 4


def test_people_by_every_spelling_of_their_id(api: Api) -> None:
    api.post("/v1/events", event(1))
    with api.engine.store.read() as connection:
        (id,) = connection.exec_driver_sql("SELECT public_id FROM people").scalars()
    from engine.api import spellings

    for text in ("u-1", spellings.contact(id), spellings.person(id), spellings.contact(id).lower(), id.hex()):
        assert api.get(f"/v1/people/{text}").json()["identifiers"] == [{"kind": "user", "value": "u-1"}], text
        assert api.get(f"/v1/people/{text}", key=api.other_key).status_code == 404


def test_a_journey_from_its_start_to_its_delivery(make_api: Callable[..., Api]) -> None:
    api = make_api(RULES)
    for number in range(3):
        api.post("/v1/events", {"event": "cart_updated", "user_id": f"u-{number}"})
    api.post("/v1/events", {"event": "purchase_completed", "user_id": "u-2"})
    api.move("25 hours")
    page = api.get("/v1/journeys?limit=2").json()
    rest = api.get(f"/v1/journeys?limit=2&after={page['after']}").json()
    assert [one["person"] for one in page["journeys"] + rest["journeys"]] == ["u-2", "u-1", "u-0"]
    assert rest["after"] is None
    assert [one.action for one in api.actions] == ["send_email", "send_email"]
    deliveries = api.get("/v1/deliveries?rule=cart").json()["deliveries"]
    assert [(one["person"], one["state"], one["moment"]) for one in deliveries] == [
        ("u-1", "sent", "2026-01-02T00:00:00Z"),
        ("u-0", "sent", "2026-01-02T00:00:00Z"),
    ]
    (journey,) = api.get("/v1/journeys?person=u-0&rule=cart").json()["journeys"]
    assert journey["acted_at"] == "2026-01-02T00:00:00Z"
    for path in ("journeys?rule=none", "journeys?person=nobody", "deliveries?person=nobody"):
        assert api.get(f"/v1/{path}").json()[path.partition("?")[0]] == []
    (rule,) = api.get("/v1/rules").json()["rules"]
    assert (rule["rule"], rule["started"], rule["acted"]) == ("cart", 3, 2)
    assert api.get("/v1/rules/cart").json()["text"].startswith("Rule: cart\n")
    assert api.get("/v1/rules/none").status_code == 404


def test_values_of_another_kind_than_a_rule_asks_for_are_shown(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: big\nTrigger: cart where total >= 50")
    api.post("/v1/events", {"event": "cart", "user_id": "ann", "properties": {"total": "59.90"}})
    (rule,) = api.get("/v1/rules").json()["rules"]
    assert rule["misread"] == [{"field": "cart.total", "kind": "text_and_number", "times": 1}]


def test_what_starts_no_journey_is_told(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: new\nTrigger: cart")
    item = {"event": "cart", "user_id": "ann", "timestamp": iso(api.clock.now() - HOUR)}
    assert api.post("/v1/events", item).json()["before_live"] == ["new"]
    (one,) = api.post("/v1/events/batch", {"events": [{**item, "timestamp": "2020-01-01T00:00:00Z"}]}).json()[
        "outcomes"
    ]
    assert one["historical"] is True
    assert api.get("/v1/rules").json()["rules"][0]["notes"] == {"before_live": 1, "too_old": 1}
    (told,) = api.get("/v1/people/ann").json()["unstarted"]
    assert told == {"rule": "new", "event": "cart", "at": item["timestamp"], "reason": "before_live"}


def test_rules_are_only_read(make_api: Callable[..., Api]) -> None:
    api = make_api(RULES)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert api.ask(method, "/v1/rules/cart", {}).status_code == 405
