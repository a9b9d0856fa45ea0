"""An edit loaded with ``migrate`` moves journeys that wait at a step that exists unchanged in both versions."""

from __future__ import annotations

from pathlib import Path

from engine.clock import iso
from engine.runtime.migrating import Moves
from engine.testing import Travel

from .conftest import Lab

RULE = """
Rule: r
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "first"
Wait: 2 days
Action: send_email "second"
"""
BRANCHES = """
Rule: r
Trigger: a
Wait: 1 day
If: person.plan = free
  Wait: 1 day
  Action: offer
Else:
  Wait: 1 day
  Action: thank
End:
"""


def left(lab: Travel) -> list[tuple[str, str]]:
    return [(one.template or one.action, iso(one.moment)[5:13]) for one in lab.actions]


def edited(lab: Travel, folder: Path, text: str) -> Moves:
    (folder / "r0.rules").write_text(text)
    assert lab.engine.reload(migrate=True).ok
    return lab.engine.moves.get("r", Moves())


def start(lab: Travel, event: str = "cart_updated") -> None:
    assert lab.engine.ingest({"event": event, "user_id": "ann"}).ok


def test_a_journey_goes_on_under_the_new_version(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        here.move("1 hour")
        assert edited(here, tmp_path, RULE.replace('"first"', '"better"')) == (1, 0, 0)
        here.move("5 days")
        assert left(here) == [("better", "01-02T00"), ("second", "01-04T00")]


def test_without_it_a_journey_finishes_on_its_version(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        (tmp_path / "r0.rules").write_text(RULE.replace('"first"', '"better"'))
        assert here.engine.reload().ok
        assert here.engine.moves == {}
        here.move("5 days")
        assert left(here) == [("first", "01-02T00"), ("second", "01-04T00")]


def test_steps_may_move_around_the_one_it_waits_at(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        here.move("30 hours")
        more = RULE.replace("Wait: 2 days", 'Action: send_push "extra"\nWait: 2 days').replace('"second"', '"last"')
        assert edited(here, tmp_path, more) == (1, 0, 0)
        here.move("5 days")
        assert left(here) == [("first", "01-02T00"), ("last", "01-04T00")]


def test_an_action_that_left_need_not_exist_any_more(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        here.move("30 hours")
        assert edited(here, tmp_path, RULE.replace('"first"', '"other"').replace('"second"', '"last"')) == (1, 0, 0)
        here.move("1 hour")
        here.engine.ingest(
            {"event": "purchase_completed", "user_id": "ann", "timestamp": "2026-01-02T05:00:00Z"}
        )  # decided again from what left on
        here.move("5 days")
        assert left(here)[:1] == [("first", "01-02T00")]
        assert ("other", "01-02T00") not in left(here)


def test_a_journey_at_a_step_that_changed_stays(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        here.move("30 hours")
        assert edited(here, tmp_path, RULE.replace("2 days", "3 days")) == (0, 1, 0)
        here.move("5 days")
        assert left(here) == [("first", "01-02T00"), ("second", "01-04T00")]


def test_the_branch_is_part_of_a_step(lab: Lab, tmp_path: Path) -> None:
    swapped = BRANCHES.replace("plan = free", "plan != free").replace("offer", "thank2")
    with lab(BRANCHES) as here:
        here.engine.identify("ann", {"plan": "free"})
        start(here, "a")
        here.move("30 hours")
        assert edited(here, tmp_path, swapped) == (0, 1, 0)
        assert edited(here, tmp_path, BRANCHES.replace("offer", "gift")) == (1, 0, 0)
        here.move("5 days")
        assert left(here) == [("gift", "01-03T00")]


def test_an_action_that_waits_to_leave_holds_its_journey_to_a_gate_that_is_still_there(
    lab: Lab, tmp_path: Path
) -> None:
    with lab(RULE) as here:
        start(here)
        here.clock.move("25 hours")
        here.engine.decide_due()  # the first mail has still to leave
        assert edited(here, tmp_path, RULE.replace("within 24 hours", "within 23 hours")) == (0, 1, 0)
        assert edited(here, tmp_path, RULE.replace('"second"', '"last"')) == (1, 0, 0)
        here.move("5 days")
        assert left(here) == [("first", "01-02T00"), ("last", "01-04T00")]


def test_what_was_noted_of_the_trigger_must_be_the_same(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        here.engine.ingest({"event": "cart_updated", "user_id": "ann", "properties": {"cart_id": "c1"}})
        assert edited(here, tmp_path, RULE + "For each: cart_id\n") == (0, 1, 0)
        assert edited(here, tmp_path, RULE + "Limit: once per cart_id\n") == (0, 1, 0)
        assert edited(here, tmp_path, RULE + "Limit: once per person per 7 days\n") == (1, 0, 0)


def test_a_new_quiet_hour_holds_what_was_moved(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        assert edited(here, tmp_path, RULE + "Quiet hours: 21:00 to 09:00\n") == (1, 0, 0)
        here.move("5 days")
        assert left(here) == [("first", "01-02T00"), ("second", "01-04T09")]
        sent = here.engine.events(names="send_email").events
        assert [iso(one.at)[5:13] for one in sent] == ["01-04T09", "01-02T09"]


def test_a_paused_rule_stays_paused(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        here.engine.pause("r")
        assert edited(here, tmp_path, RULE.replace('"first"', '"better"')) == (1, 0, 0)
        here.move("30 hours")
        assert left(here) == []
        here.engine.resume("r")
        here.move("1 hour")
        assert left(here) == [("better", "01-02T00")]


def test_journeys_of_a_removed_rule_have_ended(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        start(here)
        assert edited(here, tmp_path, "Rule: other\nTrigger: z\n") == (0, 0, 1)


def test_more_journeys_than_a_page(lab: Lab, tmp_path: Path) -> None:
    with lab(RULE) as here:
        here.engine.ingest([{"event": "cart_updated", "user_id": f"u{one}"} for one in range(1_001)])
        assert edited(here, tmp_path, RULE.replace('"first"', '"better"')) == (1_001, 0, 0)
