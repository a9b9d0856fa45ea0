"""The story that every client tells, and what must come of it.

Two hours ago a cart was filled in a browser that nobody was known in. It is ann's: she was identified, and the browser
was aliased to her. bob filled one as well, and bought; that he
bought is told first, for a cart left two hours ago is acted on when it is heard of.
"""

from __future__ import annotations

import datetime
from typing import Any

from tests.cli.conftest import wait_for
from tests.sdks.conftest import Service

RULES = """\
Rule: cart_left
Trigger: cart_updated
Condition: person.plan = "pro"
Condition: NOT purchase_completed within 1 hour
Action: send_email "cart" to person.email with total = trigger.total

Rule: bought
Trigger: purchase_completed
Condition: NOT signed_up within 24 hours
Action: send_email "welcome" to person.email
"""

ANN = {"plan": "pro", "email": "ann@example.com"}
BOB = {"plan": "pro", "email": "bob@example.com"}
COOKIE = "cookie-1"
TOTAL = 59.9


def story() -> list[dict[str, Any]]:
    """The calls, in order, each with what Segment calls its fields, and all of it JSON."""
    return [
        _call("track", 120, anonymousId=COOKIE, event="cart_updated", properties={"total": TOTAL}),
        _call("identify", 180, userId="ann", traits=ANN),
        _call("alias", 90, userId="ann", previousId=COOKIE),
        _call("identify", 180, userId="bob", traits=BOB),
        _call("track", 100, userId="bob", event="purchase_completed", properties={}),
        _call("track", 120, userId="bob", event="cart_updated", properties={"total": 1.5}),
    ]


def _call(name: str, minutes_ago: int, **fields: Any) -> dict[str, Any]:
    at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=minutes_ago)
    return {"call": name, "timestamp": at.isoformat(), **fields}


def names(service: Service, user: str) -> list[str]:
    """A person's events and actions, newest first."""
    return [one.event for one in service.engine.events(user).events]


def holds(service: Service) -> None:
    """The right rule has acted, once, for the right person, and no other has."""
    acted(service)
    wait_for(lambda: names(service, "bob") == ["purchase_completed", "cart_updated"])
    service.engine.run_due()
    acted(service)


def acted(service: Service) -> None:
    """The rule has acted for ann, and nothing else has been done."""
    wait_for(lambda: bool(service.actions))
    told = [(one.rule, one.template, one.to, one.arguments) for one in service.actions]
    assert told == [("cart_left", "cart", "ann@example.com", {"total": TOTAL})]
    assert names(service, "ann") == names(service, COOKIE) == ["send_email", "cart_updated"]
