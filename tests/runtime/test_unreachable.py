"""Addresses that take no mail any more: shown as long as somebody's timeline tells of the bounce, and let go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.clock import DAY, HOUR, MINUTE, iso
from engine.config import load_settings
from engine.delivery.channels import Outgoing, Sealed, SendError
from engine.errors import ConfigError
from engine.runtime.deliveries import Asked
from engine.runtime.engine import Engine
from engine.runtime.unreachable import Unreachable
from engine.testing import Clock, Travel

from .conftest import START, Lab

RULES = 'Rule: hello\nTrigger: go\nAction: send_email "hello"\nPurpose: transactional\n'
BOUND: dict[str, Any] = {
    "channels": {"mail": {"type": "email", "host": "localhost", "from": "a@shop.example"}},
    "actions": {"send_email": "mail"},
}


def mailed(engine: Engine, address: str) -> str:
    """The key of a mail that left to somebody, who is known by their address."""
    engine.identify(address, {"email": address})
    engine.ingest({"event": "go", "user_id": address})
    engine.run_due()
    return engine.deliveries(Asked(person=address)).items[0].key


def report(engine: Engine, key: str, **more: Any) -> None:
    """A hard bounce of an action."""
    properties = {"hard": True, **more.pop("properties", {})}
    engine.ingest({"event": "email_bounced", "user_id": "post", "caused_by": key, **more, "properties": properties})


def bounce(engine: Engine, address: str, **more: Any) -> None:
    """A mail to somebody that bounced."""
    report(engine, mailed(engine, address), **more)


def shown(here: Travel, **asked: Any) -> list[str | None]:
    return [one.address for one in here.engine.unreachable(**asked).items]


def test_a_mail_that_bounced_shows_its_address(tmp_path: Path) -> None:
    class Post:
        def seal(self, action: Outgoing) -> Sealed:
            return Sealed(b"a mail", action.variables["person"]["email"])

        def send(self, action: Outgoing) -> None:
            raise SendError("post refused RCPT: 550 5.1.1 <ANN@example.com>: unknown", permanent=True, bounced=True)

    (tmp_path / "r.rules").write_text(RULES)
    given = load_settings(store="sqlite://", **BOUND)
    with Engine.open(settings=given, rules=tmp_path, clock=Clock(START)) as engine:
        engine._routes._found["send_email"] = engine._routes.of("send_email")._replace(channel=Post())  # type: ignore[arg-type]
        engine.identify("u1", {"email": "Ann@example.com"})
        engine.ingest({"event": "go", "user_id": "u1"})
        engine.run_due()
        (one,) = engine.unreachable().items
        assert one == Unreachable(
            "Ann@example.com", "email", engine.clock.now(), "post refused RCPT: 550 5.1.1 <…>: unknown"
        )
        assert one.plain()["since"] == iso(engine.clock.now())
        engine.erase("u1")
        (one,) = engine.unreachable().items
        assert (one.address, one.reason) == (None, "post refused RCPT: 550 5.1.1 <…>: unknown")
        assert "nn@example" not in json.dumps(one.plain())
        assert engine.forget_unreachable(" ann@EXAMPLE.com")
        assert engine.unreachable().items == ()


def test_a_report_shows_the_address_its_action_went_to(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        bounced = here.clock.now() - HOUR
        bounce(here.engine, "ann@example.com", timestamp=iso(bounced), properties={"email": "eve@example.com"})
        bounce(here.engine, " Bob@example.com ", properties={"reason": "bob@example.com is gone"})
        bob, ann = here.engine.unreachable().items
        assert ann == Unreachable("ann@example.com", "email", bounced, "a hard bounce was reported")
        assert bob == Unreachable("Bob@example.com", "email", here.clock.now(), "… is gone")
        bounce(here.engine, "soft@example.com", properties={"hard": False})
        assert len(shown(here)) == 2


def test_a_report_on_somebody_else_s_timeline_tells_nothing_of_who_is_erased(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        bounce(here.engine, "ann@example.com")
        here.engine.erase("ann@example.com")
        assert shown(here) == [None]


def test_what_is_let_go_gets_mail_again_until_it_bounces_again(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        for left in (1, 2):
            bounce(here.engine, "ann@example.com")
            here.move("1 minute")
            mailed(here.engine, "ann@example.com")
            assert len(here.actions) == left
            here.move("1 minute")
            assert here.engine.forget_unreachable("ann@example.com")
            assert not here.engine.forget_unreachable("ann@example.com")


def test_the_first_bounce_stands(lab: Lab) -> None:
    with lab(RULES, **BOUND) as here:
        first = here.clock.now()
        key = mailed(here.engine, "ann@example.com")
        for reason in ("one", "two"):
            report(here.engine, key, properties={"reason": reason})
            here.clock.move("1 hour")
        assert here.engine.unreachable().items == (Unreachable("ann@example.com", "email", first, "one"),)


def test_pages_hold_each_once_whatever_comes_meanwhile(lab: Lab) -> None:
    with lab(RULES) as here:
        for number in range(6):
            bounce(here.engine, f"u{number}@example.com", timestamp=iso(here.clock.now() - (number // 3) * DAY))
        whole, seen, after = shown(here), [], None
        assert {one[:2] for one in whole[:3] if one} == {"u0", "u1", "u2"}
        while True:
            page = here.engine.unreachable(1, after)
            seen += [one.address for one in page.items]
            here.clock.move("1 minute")
            bounce(here.engine, f"late{len(seen)}@example.com")
            if (after := page.after) is None:
                break
        assert seen == whole
        for text in ("x", here.engine.deliveries().after or "y"):
            with pytest.raises(ConfigError, match="is no cursor"):
                here.engine.unreachable(after=text)


def test_a_page_is_bounded_by_the_setting(lab: Lab) -> None:
    with lab(RULES, page_limit=2) as here:
        for number in range(3):
            bounce(here.engine, f"u{number}@example.com")
        page = here.engine.unreachable(100)
        assert (len(page.items), page.after is not None) == (2, True)
        assert len(here.engine.unreachable(100, page.after).items) == 1


def test_as_many_statements_for_one_as_for_a_hundred(lab: Lab) -> None:
    with lab(RULES) as here:
        counted: list[int] = []
        for number in (1, 100):
            for one in range(number):
                bounce(here.engine, f"u{one}@example.com", timestamp=iso(here.clock.now() - one * MINUTE))
            statements: list[str] = []
            driver: Any = here.engine.store.engine.raw_connection().driver_connection
            driver.set_trace_callback(statements.append)
            assert len(here.engine.unreachable(1_000).items) == number
            driver.set_trace_callback(None)
            counted.append(len([one for one in statements if one.startswith("SELECT")]))
        assert counted[0] == counted[1] == 3


def test_workspaces_know_nothing_of_one_another(tmp_path: Path) -> None:
    url, rules = f"sqlite:///{tmp_path}/shared.db", tmp_path / "r.rules"
    rules.write_text(RULES)
    with Engine.open(url, rules=rules, workspace="one") as one, Engine.open(url, rules=rules, workspace="two") as two:
        for engine, names in ((one, "ab"), (two, "c")):
            for name in names:
                bounce(engine, f"{name}@example.com")
        assert [item.address for item in two.unreachable().items] == ["c@example.com"]
        assert not two.forget_unreachable("a@example.com")
        after = one.unreachable(1).after
        with pytest.raises(ConfigError, match="is no cursor"):
            two.unreachable(1, after)
