"""The counts of a rule say what its journeys have come to: started = acted + ended + waiting, at every moment."""

from __future__ import annotations

from engine.delivery.channels import Outgoing, SendError
from engine.testing import Travel

from .conftest import Lab


def counts(lab: Travel) -> tuple[int, int, int, int]:
    (one,) = lab.engine.counts_by_rule()
    assert one.started == one.acted + one.ended + one.waiting
    return one.started, one.acted, one.ended, one.waiting


def test_a_journey_whose_only_action_has_still_to_leave_waits(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nAction: goodbye") as here:
        here.engine.ingest({"event": "a", "user_id": "ann"})
        here.engine.decide_due()
        assert here.engine.counts_by_rule()[0].outbox == {"pending": 2}
        assert counts(here) == (1, 0, 0, 1)
        here.engine.run_due()
        assert counts(here) == (1, 1, 0, 0)


def test_one_whose_action_is_kept_from_leaving_has_ended(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nExit: stop") as here:
        here.engine.ingest({"event": "a", "user_id": "ann"})
        here.engine.decide_due()
        here.clock.move("1 second")
        here.engine.ingest({"event": "stop", "user_id": "ann"})
        assert counts(here) == (1, 0, 0, 1)
        here.engine.run_due()
        assert counts(here) == (1, 0, 1, 0)


def test_one_whose_action_left_has_acted_though_it_failed(lab: Lab) -> None:
    def fails(action: Outgoing) -> None:
        raise SendError("down", permanent=True)

    with lab("Rule: r\nTrigger: a\nAction: hello") as here:
        here.engine.action("hello")(fails)
        here.engine.ingest({"event": "a", "user_id": "ann"})
        here.engine.run_due()
        assert here.engine.counts_by_rule()[0].outbox == {"dead": 1}
        assert counts(here) == (1, 1, 0, 0)


def test_one_that_ended_without_an_action_is_among_the_endings_and_no_other(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: hello\nOnly while: person.plan = free") as here:
        here.engine.identify("ann", {"plan": "free"})
        here.engine.ingest([{"event": "a", "user_id": "ann"}, {"event": "a", "user_id": "bob"}])
        here.engine.decide_due()
        assert counts(here) == (2, 0, 1, 1)
        endings = here.engine.endings(3)["r"]
        assert endings.reasons == {"only_while": 1}
        assert [one.person for one in endings.examples] == ["bob"]
