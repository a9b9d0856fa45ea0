"""The work that is measured: twenty live rules and a stream of events in the proportions of a real shop."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.clock import SECOND, iso
from engine.config import load_settings
from engine.delivery.channels import Outgoing
from engine.runtime.engine import Engine
from engine.testing import Clock

START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""

NAMES = {
    "product_viewed": 685, "catalog_viewed": 652, "search_performed": 401, "page_viewed": 537, "wishlist_updated": 81,
    "cart_updated": 135, "cart_viewed": 120, "checkout_started": 96, "payment_failed": 12, "purchase_completed": 47,
    "logged_in": 66, "support_ticket_created": 28, "feature_used": 120, "review_written": 41,
}  # fmt: skip
"""Event names with their weights: about one in ten may start or move a journey."""

RULES = """
Rule: abandoned-cart
Trigger: cart_updated where cart_total >= 50
Condition: NOT purchase_completed where same cart_id within 24 hours
Action: send_email "cart"
Limit: once per person per 7 days

Rule: cart-each
Trigger: cart_updated
Triggered again: each
Condition: NOT purchase_completed within 3 days

Rule: checkout
Trigger: checkout_started
Condition: NOT purchase_completed within 1 hour
Action: send_push "checkout"

Rule: payment
Trigger: payment_failed
Wait: 1 hour
Action: send_email "payment"

Rule: thanks
Trigger: purchase_completed
Wait: 7 days
Action: send_email "review"

Rule: support
Trigger: support_ticket_created
Condition: NOT review_written within 14 days

Rule: review
Trigger: review_written where score <= 2
Action: send_email "sorry"

Rule: big-spender
Trigger: purchase_completed
Condition: sum of amount from purchase_completed in the last 90 days >= 1000
Action: set person.tier = gold

Rule: winback
Trigger: purchase_completed
Condition: NOT purchase_completed within 60 days
Action: send_email "winback"

Rule: wishlist
Trigger: wishlist_updated
Triggered again: ignore
Condition: NOT cart_updated within 2 days
Action: send_email "wishlist"
"""

MORE = "\n\n".join(
    f"Rule: segment-{number}\nTrigger: purchase_completed where category = c{number}\n"
    f'Condition: NOT purchase_completed within {number + 5} days\nAction: send_email "segment"'
    for number in range(10)
)


class Nowhere:
    """A channel that takes everything."""

    def send(self, action: Outgoing) -> None:
        pass


@contextmanager
def engine_on_disk(rules: str = RULES + "\n\n" + MORE, start: int = START) -> Iterator[tuple[Engine, Clock, Path]]:
    """A fresh engine on a file of its own, under a clock that is moved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "bench.rules").write_text(rules)
        clock = Clock(start)
        settings = load_settings(store=f"sqlite:///{path / 'bench.db'}")
        with Engine.open(
            rules=path / "bench.rules", clock=clock, settings=settings, always_live=True, fallback=Nowhere()
        ) as engine:
            yield engine, clock, path


def stream(count: int, people: int, seed: int = 7, start: int = START, step: int = SECOND) -> Iterator[dict[str, Any]]:
    """Events in order of time, ``step`` microseconds apart."""
    chance = random.Random(seed)
    names, weights = list(NAMES), list(NAMES.values())
    for number, name in enumerate(chance.choices(names, weights, k=count)):
        person = f"user-{int(chance.random() ** 2 * people)}"
        yield {
            "event": name,
            "user_id": person,
            "timestamp": iso(start + number * step),
            "properties": {
                "session_id": f"s-{chance.randrange(count)}",
                "platform": chance.choice(("web", "ios", "android")),
                "cart_id": f"{person}-{chance.randrange(3)}",
                "cart_total": round(chance.random() * 200, 2),
                "amount": round(chance.random() * 200, 2),
                "category": f"c{chance.randrange(20)}",
                "score": chance.randrange(1, 6),
            },
        }
