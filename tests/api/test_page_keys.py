"""What a key with the scope event:create alone cannot say, through whichever door: anybody can read such a key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from engine.access import Scope
from tests.api.conftest import START, Api

LATER = "2026-01-01T00:00:00.5Z"
EARLIER = "2025-12-31T00:00:00Z"


class Page:
    """A web page that has a key, through one door."""

    def __init__(self, api: Api, door: str) -> None:
        self.api = api
        self.door = door
        self.key = api.make_key(Scope.EVENT_CREATE)

    def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        return self.api.post(path, body, key=self.key, headers=headers)

    def happened(self, event: str, **ids: str) -> bool:
        """An event of somebody; whether the door says that it is stored."""
        at = ids.pop("at", START)
        if self.door.startswith("segment"):
            names = {"user": "userId", "anonymous": "anonymousId"}
            message = {"event": event, "timestamp": at, **{names[kind]: id for kind, id in ids.items()}}
            self._segment("track", message)
            return True
        if self.door.startswith("cloudevents"):
            names = {"user": "subject", "anonymous": "anonymousid"}
            fields = {"id": f"{event} {ids}", "source": "page", "type": event, "specversion": "1.0", "time": at}
            fields |= {names[kind]: id for kind, id in ids.items()}
            return self._cloud_event(fields)
        if self.door == "flameup":
            body = {"external_id": ids["user"], "event": event, "timestamp": at}
            return self.post("/flameup/api/v1/track", body).status_code == 200
        if self.door == "flownally":
            return self.post(f"/flownally/v1/contacts/{ids['user']}/events", {"name": event}).status_code == 201
        item = {"event": event, "timestamp": at, **{f"{kind}_id": id for kind, id in ids.items()}}
        if self.door == "flokit batch":
            return self.post("/flokit/v1/batch/events", {"events": [item]}).json()["accepted"] == 1
        if self.door == "native batch":
            return self.post("/v1/events/batch", {"events": [item]}).json()["accepted"] == 1
        return self.post("/flokit/v1/events" if self.door == "flokit" else "/v1/events", item).status_code == 200

    def identify(self, traits: dict[str, Any], at: str = START, **ids: str) -> None:
        """Who somebody is; ``previous`` is who they were before."""
        self.last = self._identify(traits, at, ids)

    def _identify(self, traits: dict[str, Any], at: str, ids: dict[str, str]) -> httpx2.Response:
        if self.door.startswith("segment"):
            names = {"user": "userId", "anonymous": "anonymousId", "previous": "previousId"}
            message = {**{names[kind]: id for kind, id in ids.items()}, "traits": traits, "timestamp": at}
            return self._segment("alias" if "previous" in ids else "identify", message)
        item = {"type": "identify", "traits": traits, "timestamp": at, **{f"{kind}_id": id for kind, id in ids.items()}}
        if self.door == "native batch":
            return self.post("/v1/events/batch", {"events": [item]})
        return self.post("/v1/events", item)

    def _segment(self, sort: str, message: dict[str, Any]) -> httpx2.Response:
        if self.door == "segment batch":
            answer = self.post("/segment/v1/batch", {"batch": [{"type": sort, **message}]})
        else:
            answer = self.post(f"/segment/v1/{sort}", message)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        return answer

    def _cloud_event(self, fields: dict[str, Any]) -> bool:
        if self.door == "cloudevents binary":
            return (
                self.post("/v1/events", None, **{f"ce-{name}": value for name, value in fields.items()}).status_code
                == 200
            )
        if self.door == "cloudevents batch":
            answer = self.post("/v1/events", [fields], **{"Content-Type": "application/cloudevents-batch+json"})
            return bool(answer.json()["accepted"])
        answer = self.post("/v1/events", fields, **{"Content-Type": "application/cloudevents+json"})
        return answer.status_code == 200


DOORS = (
    "native", "native batch", "segment", "segment batch", "flokit", "flokit batch", "flameup", "flownally",
    "cloudevents", "cloudevents binary", "cloudevents batch",
)  # fmt: skip
SAYING = ("native batch", "segment")
"""Doors through which somebody says who they are."""
LINKING = ("segment batch", "native", "flokit batch", "cloudevents")
"""Doors through which an event names a user and an anonymous id."""


@pytest.fixture(params=DOORS)
def page(api: Api, request: pytest.FixtureRequest) -> Page:
    return Page(api, request.param)


@pytest.fixture(params=SAYING)
def saying(api: Api, request: pytest.FixtureRequest) -> Page:
    return Page(api, request.param)


@pytest.fixture(params=LINKING)
def linking(api: Api, request: pytest.FixtureRequest) -> Page:
    return Page(api, request.param)


def attributes(api: Api, who: str) -> dict[str, Any]:
    found = api.engine.person(who)
    assert found is not None
    return dict(found.attributes)


def kept(api: Api) -> list[dict[str, Any]]:
    """What is in quarantine as what a page cannot say, the newest first."""
    found = [one.plain() for one in api.engine.quarantined().items]
    assert all(one["code"] == "needs_server_key" for one in found), found
    return found


# ------------------------------------------------------------------------------------------------ consent


def test_a_page_takes_consent_away_and_does_not_give_it(page: Page) -> None:
    api = page.api
    assert page.happened("unsubscribed", user="ann")
    assert attributes(api, "ann")["unsubscribed"] is True
    api.clock.move("1 second")
    stored = page.happened("resubscribed", user="ann", at=LATER)
    assert stored is page.door.startswith("segment")
    assert attributes(api, "ann")["unsubscribed"] is True
    assert [one["item"]["event"] for one in kept(api)] == ["resubscribed"]
    assert api.engine.reingest([kept(api)[0]["id"]])
    assert "unsubscribed" not in attributes(api, "ann")


@pytest.mark.parametrize(("before", "value"), [
    (True, None), (True, False), (True, ["sms"]), (["sms", "news"], ["sms"]), (["sms"], []), ("sms", None),
])  # fmt: skip
def test_no_more_does_it_by_the_attribute(saying: Page, before: Any, value: Any) -> None:
    api = saying.api
    api.engine.identify("ann", {"unsubscribed": before})
    saying.identify({"unsubscribed": value, "theme": "dark"}, user="ann", at=LATER)
    assert attributes(api, "ann") == {"unsubscribed": before, "theme": "dark"}
    assert [one["item"]["traits"] for one in kept(api)] == [{"unsubscribed": value}]


@pytest.mark.parametrize(("before", "value", "after"), [
    (None, True, True), (None, ["sms"], ["sms"]), (["sms"], True, True), (["sms"], ["sms", "news"], ["news", "sms"]),
])  # fmt: skip
def test_but_an_attribute_says_no_also_where_a_server_said_yes(
    saying: Page, before: Any, value: Any, after: Any
) -> None:
    saying.api.engine.identify("ann", {"unsubscribed": before})
    saying.identify({"unsubscribed": value}, user="ann", at=LATER)
    assert attributes(saying.api, "ann") == {"unsubscribed": after}
    assert kept(saying.api) == []


def test_a_visitor_brings_no_consent_into_somebody_known(saying: Page) -> None:
    saying.api.engine.identify("ann", {"unsubscribed": True})
    saying.identify({"unsubscribed": ["sms"]}, anonymous="browser")
    saying.identify({}, user="ann", anonymous="browser")
    assert attributes(saying.api, "browser") == {"unsubscribed": True}


# ------------------------------------------------------------------------------------------------ attributes


@pytest.mark.parametrize("at", [EARLIER, START, LATER])
def test_what_a_server_set_a_page_does_not_change_at_whatever_time(saying: Page, at: str) -> None:
    api = saying.api
    api.engine.identify("ann", {"email": "ann@example.com", "plan": "pro", "gone": None}, timestamp=START)
    saying.identify(
        {"email": "evil@example.com", "plan": "pro", "gone": 1, "theme": "dark"}, user="ann", anonymous="b", at=at
    )
    assert attributes(api, "b") == {"email": "ann@example.com", "plan": "pro", "theme": "dark"}
    (one,) = kept(api)
    assert one["item"]["traits"] == {"email": "evil@example.com", "gone": 1}
    assert one["reason"].endswith("email, gone")
    assert "needs_server_key" in json.dumps(one)


def test_what_a_page_set_a_server_changes_also_for_an_earlier_time(saying: Page) -> None:
    api = saying.api
    saying.identify({"email": "page@example.com", "theme": "dark"}, user="ann", at=LATER)
    assert attributes(api, "ann") == {"email": "page@example.com", "theme": "dark"}
    saying.identify({"email": "other@example.com"}, user="ann", at=LATER)
    api.engine.identify("ann", {"email": "ann@example.com"}, timestamp=EARLIER)
    assert attributes(api, "ann") == {"email": "ann@example.com", "theme": "dark"}
    assert kept(api) == []


def test_what_a_rule_set_is_not_a_page_s_to_change(make_api: Callable[..., Api]) -> None:
    api = make_api("Rule: R\n  Trigger: bought\n  Action: set person.vip = true\n")
    api.engine.ingest({"event": "bought", "user_id": "ann"})
    Page(api, "segment").identify({"vip": False}, user="ann", at=LATER)
    assert attributes(api, "ann") == {"vip": True}
    assert len(kept(api)) == 1


def test_a_visitor_s_attributes_lose_to_those_of_whom_they_become(saying: Page) -> None:
    saying.api.engine.identify("ann", {"email": "ann@example.com"}, timestamp=EARLIER)
    saying.identify({"email": "evil@example.com", "theme": "dark"}, anonymous="browser", at=LATER)
    saying.identify({}, user="ann", anonymous="browser", at=LATER)
    assert attributes(saying.api, "browser") == {"email": "ann@example.com", "theme": "dark"}


def test_what_a_visitor_s_attributes_lose_by_linking_is_told_and_can_be_taken_in(linking: Page) -> None:
    api = linking.api
    api.engine.identify("ann", {"email": "ann@example.com", "plan": "pro"}, timestamp=EARLIER)
    Page(api, "native").identify(
        {"email": "other@example.com", "plan": "pro", "theme": "dark", "unsubscribed": ["sms"]}, anonymous="browser"
    )
    assert kept(api) == []
    linking.happened("seen", user="ann", anonymous="browser")
    (one,) = kept(api)
    assert one["item"] == {"type": "identify", "user_id": "ann", "traits": {"email": "other@example.com"}}
    assert (one["code"], one["field"], one["source"]) == ("needs_server_key", "traits", "native")
    assert one["reason"].endswith(": email")
    assert 'lapse_noted_total{what="page_key_limited"} 1.0' in api.get("/metrics").text
    linking.happened("seen again", user="ann", anonymous="browser")
    assert len(kept(api)) == 1
    api.clock.move("1 second")
    assert api.post("/v1/quarantine/retry", {"ids": [one["id"]]}).json()["outcomes"][0]["status"] == "accepted"
    assert attributes(api, "ann")["email"] == "other@example.com"
    assert kept(api) == []


def test_a_page_s_values_of_a_user_lose_to_a_server_s_of_the_visitor_and_are_told(linking: Page) -> None:
    api = linking.api
    api.engine.identify(None, {"source": "ad"}, anonymous_id="browser", timestamp=EARLIER)
    Page(api, "native").identify({"source": "friend"}, user="ann")
    linking.happened("seen", user="ann", anonymous="browser")
    assert attributes(api, "ann") == {"source": "ad"}
    assert [one["item"]["traits"] for one in kept(api)] == [{"source": "friend"}]


def test_where_pages_are_trusted_or_agree_nothing_is_told(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"page_keys": "trusted"})
    api.engine.identify("ann", {"email": "ann@example.com"}, timestamp=EARLIER)
    page = Page(api, "native")
    page.identify({"email": "other@example.com"}, anonymous="browser")
    page.happened("seen", user="ann", anonymous="browser")
    assert kept(api) == []


def test_a_visitor_whom_a_server_described_stays_as_described(saying: Page) -> None:
    saying.api.engine.identify(None, {"source": "ad"}, anonymous_id="browser", timestamp=EARLIER)
    saying.identify({"source": "friend"}, user="ann", anonymous="browser", at=LATER)
    assert attributes(saying.api, "ann") == {"source": "ad"}
    assert [one["item"]["traits"] for one in kept(saying.api)] == [{"source": "friend"}]


def test_what_is_withheld_is_told_and_can_be_taken_in(api: Api) -> None:
    page = Page(api, "native")
    api.engine.identify("ann", {"email": "ann@example.com"})
    page.identify({"email": "new@example.com", "theme": "dark"}, user="ann")
    assert page.last.json()["withheld"] == ["email"]
    assert 'lapse_noted_total{what="page_key_limited"} 1.0' in api.get("/metrics").text
    assert page.identify({"theme": "light"}, user="ann") is None
    assert "withheld" not in page.last.json()
    api.clock.move("1 second")
    (one,) = kept(api)
    assert api.post("/v1/quarantine/retry", {"ids": [one["id"]]}).json()["outcomes"][0]["status"] == "accepted"
    assert attributes(api, "ann")["email"] == "new@example.com"
    assert kept(api) == []


def test_the_same_message_again_is_the_same_message(api: Api) -> None:
    page = Page(api, "native")
    item = {
        "type": "identify",
        "user_id": "ann",
        "traits": {"email": "a", "x": 1},
        "message_id": "m",
        "timestamp": START,
    }
    assert page.post("/v1/events", item).json()["status"] == "accepted"
    api.engine.identify("ann", {"email": "b"})
    again = page.post("/v1/events", item).json()
    assert (again["status"], again["conflict"]) == ("duplicate", False)
    assert kept(api) == []


# ------------------------------------------------------------------------------------------------ who is who


def test_a_page_makes_no_two_users_one(saying: Page) -> None:
    api = saying.api
    for user in ("ann", "ben"):
        api.engine.ingest({"event": "seen", "user_id": user})
    saying.identify({}, user="ann", previous="ben")
    saying.identify({}, user="new", previous="ben")
    assert len(kept(api)) == 2
    assert {one["field"] for one in kept(api)} == {"previous_id"}
    for user in ("ann", "ben"):
        assert api.engine.find(user).identifiers["user"] == (user,)  # type: ignore[union-attr]
    assert api.engine.find("new") is None
    api.engine.reingest([kept(api)[1]["id"]])
    assert set(api.engine.find("ben").identifiers["user"]) == {"ann", "ben"}  # type: ignore[union-attr]


def test_not_even_of_users_it_has_just_made(api: Api) -> None:
    messages = [
        {"type": "identify", "userId": "ann"},
        {"type": "identify", "userId": "ben"},
        {"type": "alias", "userId": "ann", "previousId": "ben"},
    ]
    page = Page(api, "segment batch")
    page.post("/segment/v1/batch", {"batch": messages})
    page.post("/segment/v1/batch", {"batch": [{"type": "alias", "userId": "eve", "previousId": "dan"},
                                              {"type": "track", "event": "x", "userId": "dan"}]})  # fmt: skip
    assert [one["item"]["user_id"] for one in kept(api)] == ["eve", "ann"]


def test_a_page_links_a_visitor_to_a_user_new_or_known(linking: Page) -> None:
    api = linking.api
    for user in ("new", "known"):
        if user == "known":
            api.engine.ingest({"event": "seen", "user_id": user})
        assert linking.happened("looked", anonymous=f"of {user}")
        assert linking.happened("signed_in", user=user, anonymous=f"of {user}")
        assert api.engine.find(f"of {user}").user == user  # type: ignore[union-attr]
    assert kept(api) == []


def test_an_alias_of_a_visitor_links(saying: Page) -> None:
    saying.happened("looked", anonymous="browser")
    saying.identify({}, user="ann", previous="browser")
    assert saying.api.engine.find("browser").user == "ann"  # type: ignore[union-attr]
    assert kept(saying.api) == []


def test_but_no_visitor_who_is_somebody(linking: Page) -> None:
    """An anonymous id of a contact: whoever is linked to it becomes the contact."""
    api = linking.api
    api.engine.identify(None, {}, contact_id="con_ann", anonymous_id="browser")
    for user in ("new", "known"):
        if user == "known":
            api.engine.ingest({"event": "seen", "user_id": user})
        linking.happened("signed_in", user=user, anonymous="browser")
    assert api.engine.find("browser").user is None  # type: ignore[union-attr]
    assert api.engine.find("new") is None
    assert [one["field"] for one in kept(api)] == ["anonymous_id", "anonymous_id"]


def test_a_browser_that_two_users_share_makes_them_no_single_person(linking: Page) -> None:
    linking.happened("signed_in", user="ann", anonymous="browser")
    assert linking.happened("signed_in", user="ben", anonymous="browser")
    assert linking.api.engine.find("browser").user == "ann"  # type: ignore[union-attr]
    assert kept(linking.api) == []


@pytest.mark.parametrize(
    ("known", "stands"), [((), True), (("user",), False), (("contact",), False), (("user", "contact"), False)]
)
def test_a_contact_goes_to_no_user_who_is_known(api: Api, known: tuple[str, ...], stands: bool) -> None:
    ids = {"user": "ann", "contact": "con_ann"}
    for kind in known:
        api.engine.ingest({"event": "seen", f"{kind}_id": ids[kind]})
    answer = Page(api, "native").post("/v1/events", {"event": "x", "user_id": "ann", "contact_id": "con_ann"})
    assert answer.status_code == (200 if stands else 422)
    assert [one["field"] for one in kept(api)] == ([] if stands else ["contact_id"])


def test_two_ids_of_one_person_may_come_together(api: Api) -> None:
    api.engine.identify("ann", {}, contact_id="con_ann", anonymous_id="browser")
    item = {"event": "x", "user_id": "ann", "contact_id": "con_ann", "anonymous_id": "browser"}
    assert Page(api, "native").post("/v1/events", item).status_code == 200
    again = {"type": "identify", "user_id": "ann", "previous_id": "ann"}
    assert Page(api, "native").post("/v1/events", again).status_code == 200


# ------------------------------------------------------------------------------------------------ which keys


def test_a_page_s_key_is_refused_with_a_sentence_that_helps(api: Api) -> None:
    answer = Page(api, "native").post("/v1/events", {"event": "resubscribed", "user_id": "ann"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (422, "needs_server_key", "event")
    assert "server's key" in error["message"]


@pytest.mark.parametrize("scopes", [(Scope.EVENT_CREATE, Scope.EVENT_READ), (Scope.EVENT_CREATE, Scope.METRICS)])
def test_a_key_with_another_scope_is_a_server_s(api: Api, scopes: tuple[Scope, ...]) -> None:
    key = api.make_key(*scopes)
    for item in (
        {"event": "unsubscribed", "user_id": "ann"},
        {"event": "resubscribed", "user_id": "ann", "timestamp": LATER},
        {"event": "x", "user_id": "ben"},
        {"type": "identify", "user_id": "ann", "previous_id": "ben"},
    ):
        assert api.post("/v1/events", item, key=key).status_code == 200
    assert kept(api) == []


@pytest.mark.parametrize("door", SAYING)
def test_a_setting_trusts_pages_as_segment_does(make_api: Callable[..., Api], door: str) -> None:
    api = make_api(api={"page_keys": "trusted"})
    page = Page(api, door)
    api.engine.identify("ann", {"email": "ann@example.com", "unsubscribed": True})
    api.engine.ingest({"event": "seen", "user_id": "ben"})
    page.identify({"email": "new@example.com"}, user="ann", at=LATER)
    page.identify({}, user="ann", previous="ben", at=LATER)
    page.happened("resubscribed", user="ann", at=LATER)
    assert attributes(api, "ben") == {"email": "new@example.com"}
    assert kept(api) == []


def test_other_refusals_of_a_page_s_item_are_kept_only_where_they_were(api: Api) -> None:
    assert Page(api, "native").post("/v1/events", {"event": "", "user_id": "ann"}).status_code == 422
    assert api.engine.quarantined().total == 0


def test_what_nobody_else_set_stays_a_page_s_over_a_migration_of_stores(api: Api) -> None:
    """Rows of the time before pages were told apart count as a server's."""
    Page(api, "segment").identify({"theme": "dark"}, user="ann")

    def forget(connection: Any) -> None:
        connection.exec_driver_sql("UPDATE attribute_changes SET page = 0")

    api.engine.writer.run(forget)
    Page(api, "segment").identify({"theme": "light"}, user="ann", at=LATER)
    assert attributes(api, "ann") == {"theme": "dark"}
