"""One person through all four vendors' doors, and one journey that passes through them with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from engine.clock import iso
from tests.api.conftest import Api

RULES = """\
Rule: onboarding
Trigger: signed_up
Condition: trial_started within 24 hours
Action: send_email "trial"
Condition: order_paid within 24 hours
Action: send_email "paid"
Condition: page within 24 hours
Action: send_email "seen"
"""


def flokit(api: Api, user: str, event: str) -> httpx2.Response:
    return api.post("/flokit/v1/events", {"event": event, "user_id": user, "timestamp": iso(api.clock.now())})


def flameup(api: Api, external_id: str, event: str) -> httpx2.Response:
    return api.post("/flameup/api/v1/track", {"event": event, "external_id": external_id})


def flownally(api: Api, contact: str, event: str) -> httpx2.Response:
    return api.post(f"/flownally/v1/contacts/{contact}/events", {"name": event})


def segment(api: Api, user: str, event: str) -> httpx2.Response:
    return api.post(f"/segment/v1/{event}", {"userId": user})


def known_by_her_user_id(api: Api) -> str:
    return "ann"


def known_by_our_id_of_her(api: Api) -> str:
    found = api.engine.find("ann")
    assert found is not None
    return api.get("/flownally/v1/contacts/ann/events").json()["events"][0]["contactId"]


def known_as_a_contact_that_was_joined_with_her(api: Api) -> str:
    api.engine.identify("ann", contact_id="con_of-the-old-system")
    return "con_of-the-old-system"


@pytest.mark.parametrize(
    "contact", [known_by_her_user_id, known_by_our_id_of_her, known_as_a_contact_that_was_joined_with_her]
)
def test_one_person_one_journey(make_api: Callable[..., Api], contact: Callable[[Api], str]) -> None:
    api = make_api(RULES)
    steps: list[tuple[Callable[..., httpx2.Response], str]] = [
        (flokit, "signed_up"),
        (flameup, "trial_started"),
        (flownally, "order_paid"),
        (segment, "page"),
    ]
    for door, event in steps:
        answer = door(api, contact(api) if door is flownally else "ann", event)
        assert answer.status_code in (200, 201), answer.text
        api.move("1 hour")
    assert [one.template for one in api.actions] == ["trial", "paid", "seen"]
    assert len({one.person for one in api.actions}) == 1
    (journey,) = api.get("/native/v1/journeys").json()["journeys"]
    assert journey["rule"] == "onboarding"
    assert told(api, contact(api)) == [[event for _, event in reversed(steps)]] * 2


def told(api: Api, contact: str) -> list[list[str]]:
    """Her events, newest first, as the two doors that show some show them."""
    people: list[dict[str, Any]] = api.get("/flameup/api/v1/people/ann/events").json()["events"]
    contacts: list[dict[str, Any]] = api.get(f"/flownally/v1/contacts/{contact}/events").json()["events"]
    return [[one["event"] for one in people], [one["eventTypeName"] for one in contacts]]


def test_a_browser_that_becomes_known_through_one_door_is_known_to_all(make_api: Callable[..., Api]) -> None:
    """Somebody nobody knows signs up; a tracker says who that was; the rest comes by user id."""
    api = make_api(RULES)
    at = iso(api.clock.now())
    sent = {"event": "signed_up", "anonymous_id": "browser-1", "timestamp": at}
    assert api.post("/flokit/v1/events", sent).status_code == 200
    alias = {"type": "alias", "userId": "ann", "previousId": "browser-1"}
    assert api.post("/segment/v1/batch", {"batch": [alias]}).status_code == 200
    assert flameup(api, "ann", "trial_started").status_code == 200
    api.move("1 hour")
    assert [one.template for one in api.actions] == ["trial"]
