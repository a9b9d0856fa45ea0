"""The page behind the link of a mail: what looking at it, clicking it and forging it does."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from engine.access import Scope
from engine.cli.logs import JsonLines
from engine.delivery.channels import Message, Outgoing
from engine.delivery.email import EmailChannel
from engine.delivery_settings import EmailSettings
from engine.runtime import unsubscribing
from engine.runtime.engine import Engine
from engine.runtime.unsubscribing import Sent
from engine.store import people
from engine.store.prepared import Prepared
from tests.api.conftest import Api

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"
PARTS = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'


def link(engine: Engine, who: str = "ann", purpose: str = "marketing", channel: str = "mail") -> str:
    """The path of the link in a mail to somebody, who is made if need be."""
    if engine.find(who) is None:
        engine.ingest({"event": "signed_up", "user_id": who})
    with engine.store.read() as connection:
        row = people.find(connection, engine.workspace, who)
        assert row is not None
        name = engine.settings.workspace
        sent = [Sent(row, channel, purpose)]
        (found,) = unsubscribing.links(connection, engine.workspace, name, "http://lapse.test/", sent)
    assert found is not None
    return found.removeprefix("http://lapse.test")


def click(api: Api, path: str, body: bytes = ONE_CLICK, kind: str = FORM["Content-Type"]) -> httpx2.Response:
    return api.post(path, body, key=None, headers={"Content-Type": kind})


def again(api: Api, path: str) -> httpx2.Response:
    return click(api, path, b"choice=resubscribed")


def said(engine: Engine, who: str = "ann") -> list[tuple[str, object]]:
    """What somebody said of it, oldest first."""
    found = engine.events(who, names=("unsubscribed", "resubscribed"), limit=100).events
    return [(one.event, one.properties) for one in reversed(found)]


def test_looking_at_it_changes_nothing(api: Api) -> None:
    path = link(api.engine)
    for method in ("GET", "HEAD", "GET"):
        answer = api.ask(method, path, key=None)
        assert answer.status_code == 200
    assert said(api.engine) == []
    page = api.get(path, key=None)
    assert re.search(r'<form method="post"><button name="choice" value="unsubscribed">Unsubscribe</button>', page.text)
    assert '<html lang="en">' in page.text
    head = api.ask("HEAD", path, key=None)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(page.content)))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, FORM["Content-Type"]),
        (PARTS, "multipart/form-data; boundary=x"),
        (b"choice=unsubscribed", FORM["Content-Type"]),
        (b"", ""),
        (b"{}", "application/json"),
        (b"choice=resubscribed&choice=unsubscribed", FORM["Content-Type"]),
        (b"&".join([b"choice=resubscribed"] * 11), FORM["Content-Type"]),
        (b"\xff\x00", FORM["Content-Type"]),
    ],
)
def test_a_post_says_no(api: Api, body: bytes, kind: str) -> None:
    answer = click(api, link(api.engine), body, kind)
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text
    assert said(api.engine) == [("unsubscribed", {"channel": "email"})]
    (event,) = api.engine.events("ann", names="unsubscribed").events
    assert (event.source, event.at) == ("unsubscribe", api.clock.now())


def test_a_topic_is_named(api: Api) -> None:
    click(api, link(api.engine, purpose="newsletter", channel="post"))
    assert said(api.engine) == [("unsubscribed", {"topic": "newsletter"})]


def test_who_says_it_twice_said_it_once(api: Api) -> None:
    path = link(api.engine)
    for _ in range(3):
        assert click(api, path).status_code == 200
    assert len(said(api.engine)) == 1
    answers = api.at_once("POST", link(api.engine, "bob"), ONE_CLICK, 20)
    assert {one.status_code for one in answers} == {200}
    assert len(said(api.engine, "bob")) == 1


def test_who_changes_their_mind_is_heard_each_time(api: Api) -> None:
    path = link(api.engine)
    for _ in range(3):
        assert "You are unsubscribed" in click(api, path).text
        page = again(api, path)
        assert "You are subscribed again" in page.text
        again(api, path)
    assert [event for event, _ in said(api.engine)] == ["unsubscribed", "resubscribed"] * 3


def test_what_was_taken_back_elsewhere_can_be_said_again(api: Api) -> None:
    path = link(api.engine)
    click(api, path)
    api.engine.ingest({"event": "resubscribed", "user_id": "ann"})
    click(api, path)
    assert [event for event, _ in said(api.engine)] == ["unsubscribed", "resubscribed", "unsubscribed"]
    api.engine.identify("ann", {"unsubscribed": None})
    api.move("59 minutes")
    click(api, path)
    assert len(said(api.engine)) == 3
    api.move("1 minute")
    click(api, path)
    assert len(said(api.engine)) == 4


def test_a_link_goes_with_the_person(api: Api) -> None:
    path = link(api.engine, "visitor")
    api.engine.ingest({"event": "seen", "anonymous_id": "browser"})
    other = link(api.engine, "browser")
    api.engine.identify("ann", anonymous_id="browser")
    api.engine.identify("ann", previous_id="visitor")
    assert click(api, path).status_code == 200
    assert click(api, other).status_code == 200
    assert said(api.engine) == [("unsubscribed", {"channel": "email"})]


def test_a_link_of_somebody_erased_leads_nowhere(api: Api) -> None:
    path = link(api.engine)
    api.engine.erase("ann")
    for answer in (api.get(path, key=None), click(api, path), again(api, path)):
        assert answer.status_code == 404
        assert "This link leads nowhere" in answer.text
    assert api.engine.find("ann") is None


def test_whoever_is_erased_meanwhile_is_not_made_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    path = link(api.engine)
    real = unsubscribing.item

    def slow(*given: Any) -> dict[str, object] | None:
        found = real(*given)
        api.engine.erase("ann")
        return found

    monkeypatch.setattr(unsubscribing, "item", slow)
    assert click(api, path).status_code == 404
    assert api.engine.find("ann") is None


def test_a_link_is_of_its_workspace(api: Api) -> None:
    path = link(api.other)
    link(api.engine)
    assert click(api, path).status_code == 200
    assert (said(api.engine), len(said(api.other))) == ([], 1)


def test_a_workspace_made_meanwhile_by_another_process_is_found(api: Api) -> None:
    with Engine.open(api.engine.settings.store, workspace="third", clock=api.clock) as third:
        assert click(api, link(third)).status_code == 200
        assert len(said(third)) == 1


def test_no_link_can_be_made_or_changed(api: Api) -> None:
    path = link(api.engine)
    token = path.rpartition("/")[2]
    other = link(api.other).rpartition("/")[2]
    forged = [token[:-1], token + "A", token.swapcase(), "A" * len(token), token[:11], token[:33], token + "="]
    forged += [other[:11] + token[11:], token[:11] + other[11:], "%00", "a b", "..%2F..", "é", "{token}", "[]"]
    for place, letter in enumerate(token):
        forged.append(token[:place] + ("B" if letter == "A" else "A") + token[place + 1 :])
    for one in forged:
        answer = click(api, f"/unsubscribe/{one}")
        assert answer.status_code == 404, one
    assert said(api.engine) == said(api.other) == []


@pytest.mark.parametrize(
    "text", ["\x00", "é", "\ud800", "😀" * 100, "=" * 50, "A" * 43, "A" * 5_000, "-_", "\r\nX: y", "/"]
)
def test_odd_tokens_lead_nowhere(api: Api, text: str) -> None:
    path = "/unsubscribe/" + "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
    assert api.get(path, key=None).status_code == 404


def test_a_token_shows_nobody(api: Api) -> None:
    first, same, other = (link(api.engine, who).rpartition("/")[2] for who in ("ann", "ann", "bob"))
    assert first == same
    assert sum(one == two for one, two in zip(first[11:], other[11:], strict=True)) < 20


def test_nothing_else_is_there(api: Api) -> None:
    path = link(api.engine)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = api.ask(method, path, key=None)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
        assert "<h1>" in answer.text
    for other in ("/unsubscribe", "/unsubscribe/", f"{path}/", f"{path}/x", f"/native{path}"):
        assert api.get(other, key=None).status_code == 404
    assert said(api.engine) == []


def test_a_key_makes_no_difference(api: Api) -> None:
    path = link(api.engine)
    for key in (None, "nonsense", api.make_key(Scope.EVENT_LIST), api.other_key):
        assert api.get(path, key=key).status_code == 200


def test_pages_are_kept_by_nobody_and_run_nothing(api: Api) -> None:
    path = link(api.engine)
    for answer in (api.get(path, key=None), click(api, path), api.get("/unsubscribe/x"), api.ask("PUT", path)):
        headers = answer.headers
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert headers["x-request-id"].startswith("req_")
        assert "access-control-allow-origin" not in headers
        assert "<script" not in answer.text


def test_an_address_may_ask_only_so_often(make_api: Callable[..., Api]) -> None:
    api = make_api(api={"keyless_rate": "2/minute"})
    path = link(api.engine)
    assert [api.get(path, key=None).status_code for _ in range(2)] == [200, 200]
    answer = click(api, path)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert "Too many requests" in answer.text
    assert said(api.engine) == []


def test_a_body_has_a_limit(api: Api) -> None:
    path = link(api.engine)
    assert click(api, path, b"x" * 16_385).status_code == 413
    assert said(api.engine) == []
    assert click(api, path, b"x" * 16_384).status_code == 200


def test_what_cannot_be_stored_is_not_said_to_be(api: Api) -> None:
    path = link(api.engine)
    api.workspaces.desk.writer.close()
    answer = click(api, path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "could not be kept" in answer.text


def test_an_event_type_that_refuses_it_is_told(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    path = link(api.engine)
    api.engine.types.create("unsubscribed", schema={"type": "object", "required": ["why"], "properties": {"why": {}}})
    with caplog.at_level(logging.INFO, logger="lapse"):
        answer = click(api, path)
    assert answer.status_code == 500
    assert "Your choice could not be kept" in answer.text
    lines = [json.loads(JsonLines().format(one)) for one in caplog.records]
    assert [one["code"] for one in lines if one["message"] == "refused"] == ["breaks_schema"]


def test_the_log_and_the_figures_know_the_route_and_nobody(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    path = link(api.engine)
    with caplog.at_level(logging.DEBUG):
        click(api, path)
    lines = [JsonLines().format(one) for one in caplog.records if one.name.startswith("lapse")]
    (request,) = [json.loads(one) for one in lines if json.loads(one)["message"] == "request"]
    assert (request["route"], request["status"], request["dialect"]) == ("/unsubscribe/{token}", 200, "unsubscribe")
    assert not any(path.rpartition("/")[2] in one or "192.0.2.1" in one for one in lines)
    figures = api.get("/metrics").text
    assert 'lapse_ingested_total{dialect="unsubscribe",outcome="accepted"} 1.0' in figures
    assert 'route="/unsubscribe/{token}",status="200"' in figures


def test_links_of_many_take_as_many_statements_as_those_of_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        link(api.engine, f"u{number}")
    statements: list[Prepared] = []
    real = Prepared.rows
    with api.engine.store.read() as connection:
        rows = [people.find(connection, api.engine.workspace, f"u{number}") or 0 for number in range(5)]
        sent = [Sent(row, "mail", "marketing") for row in rows] + [Sent(rows[0], "mail", "transactional")]
        monkeypatch.setattr(Prepared, "rows", lambda self, *given: statements.append(self) or real(self, *given))
        *found, none = unsubscribing.links(connection, api.engine.workspace, "default", "https://shop.example/x", sent)
    assert len(statements) == 1
    assert none is None
    assert len(set(found)) == 5
    assert all(one is not None and one.startswith("https://shop.example/x/unsubscribe/") for one in found)


RULES = """Rule: tips
Trigger: signed_up
Purpose: beginners_tips
Action: send_email "tips"

Rule: offers
Trigger: bought
Action: send_email "offers"

Rule: receipts
Trigger: bought
Purpose: transactional
Action: send_email "receipt"
"""
MAIL = {"type": "email", "host": "localhost", "from": "hello@shop.example"}


def link_of(action: Outgoing) -> str:
    """The path that the mail of an action ends its subscription with."""
    mail = replace(action, message=Message("Tips", "Read."), variables={"person": {"email": "ann@example.com"}})
    sealed = EmailChannel(EmailSettings.model_validate(MAIL)).seal(mail)
    found = re.search(rb"\r\nList-Unsubscribe: <https://shop.example(/[^>]+)>\r\n", sealed.body)
    assert found is not None
    return found[1].decode()


@pytest.mark.parametrize(
    ("happens", "about", "left"),
    [
        ("signed_up", {"topic": "beginners_tips"}, {"offers", "receipts"}),
        ("bought", {"channel": "email"}, {"receipts"}),
    ],
)
def test_from_a_rule_s_mail_to_no_more_of_them(
    make_api: Callable[..., Api], happens: str, about: dict[str, str], left: set[str]
) -> None:
    api = make_api(
        RULES, channels={"mail": MAIL}, actions={"send_email": "mail"}, delivery={"public_url": "https://shop.example"}
    )

    def sent(*names: str) -> dict[str, Outgoing]:
        before = len(api.actions)
        api.engine.ingest([{"event": name, "user_id": "ann"} for name in names])
        api.move("1 minute")
        return {one.rule: one for one in api.actions[before:]}

    first = sent(happens)
    assert "receipts" not in first or first["receipts"].unsubscribe_url is None
    link = link_of(first["tips"] if happens == "signed_up" else first["offers"])
    assert click(api, link).status_code == 200
    assert said(api.engine) == [("unsubscribed", about)]
    assert set(sent("signed_up", "bought")) == left
    again(api, link)
    assert set(sent("signed_up", "bought")) == {"tips", "offers", "receipts"}


def test_no_more_mail_stays_so_whatever_the_channel_is_called_later(make_api: Callable[..., Api]) -> None:
    api = make_api(
        RULES, channels={"post": MAIL}, actions={"send_email": "post"}, delivery={"public_url": "https://shop.example"}
    )
    click(api, link(api.engine, channel="mail"))  # of a mail from before it was renamed
    click(api, link(api.engine, "bob", channel="post"))
    api.engine.ingest([{"event": "bought", "user_id": user} for user in ("ann", "bob", "cleo")])
    api.move("1 minute")
    assert {(one.person, one.rule) for one in api.actions if one.rule == "offers"} == {("cleo", "offers")}


def test_what_is_no_mail_is_refused_by_its_channel_alone(make_api: Callable[..., Api]) -> None:
    hook = {"type": "webhook", "url": "https://push.example"}
    api = make_api(RULES, channels={"push": hook, "crm": hook}, actions={"send_email": "push"})
    click(api, link(api.engine, channel="push"))
    click(api, link(api.engine, "bob", channel="python"))
    assert said(api.engine) == [("unsubscribed", {"channel": "push"})]
    assert said(api.engine, "bob") == [("unsubscribed", {"channel": "python"})]


def test_a_mail_to_somebody_else_carries_no_link_of_the_person(make_api: Callable[..., Api]) -> None:
    rules = "Rule: gift\nTrigger: given\nAction: send_email to trigger.friend\n"
    api = make_api(
        rules, channels={"mail": MAIL}, actions={"send_email": "mail"}, delivery={"public_url": "https://shop.example"}
    )
    api.engine.identify("ann", {"email": "ann@example.com"})
    api.engine.ingest({"event": "given", "user_id": "ann", "properties": {"friend": "bob@example.com"}})
    api.move("1 minute")
    assert [(one.to, one.unsubscribe_url) for one in api.actions] == [("bob@example.com", None)]
