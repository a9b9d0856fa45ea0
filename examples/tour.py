"""A tour through time: thirty days of two customers in a blink, with a clock one moves by hand.

    python examples/tour.py

This is how a service tests its rules: nothing sleeps, nothing is patched, and every action leaves at its moment.
"""

from __future__ import annotations

from pathlib import Path

from engine.testing import Travel

RULES = Path(__file__).with_name("tour.rules")


def cart(user: str, total: int) -> dict[str, object]:
    return {"event": "cart_updated", "user_id": user, "properties": {"cart_total": total}}


with Travel(RULES, start="2026-03-02T09:00:00Z") as travel:
    travel.engine.ingest([cart("ann", 80), cart("bob", 120)])

    travel.move("5 hours")
    travel.engine.ingest({"event": "purchase_completed", "user_id": "ann"})
    assert travel.actions == []  # nobody is late yet

    travel.move("19 hours")
    assert [(action.person, action.template) for action in travel.actions] == [("bob", "cart_reminder")]

    travel.move("2 days")
    assert travel.actions[-1].action == "send_push"

    travel.move("30 days")  # and nobody comes back

    for action in travel.actions:
        print(f"{action.body()['at']}  {action.person}  {action.rule}: {action.action} {action.template}")
    assert {action.person for action in travel.actions if action.rule == "tour-win-back"} == {"ann", "bob"}
