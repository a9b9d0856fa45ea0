"""A person's end: nothing of theirs is left, what is counted stays, and their ids are refused for a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ulid import ULID

from engine.clock import DAY
from engine.receipt import Rejection
from engine.runtime.engine import Engine
from engine.runtime.once import Once
from engine.store.columns import metadata
from engine.testing import Travel

from .conftest import Lab

RULES = """
Rule: cart
Trigger: cart
Condition: NOT buy within 24 hours
Action: mail to trigger.address

Rule: welcome
Trigger: signed_up
Action: mail to trigger.address

Rule: long
Trigger: signed_up
Wait: 10 days
Action: push to trigger.address

Rule: each
Trigger: viewed
For each: trigger.page
Condition: NOT buy within 3 days
Action: mail to trigger.address
"""
SECRET = "s3cr3t"
"""Part of every text that is the person's own."""


def own(text: str) -> str:
    return f"{SECRET}-{text}"


def event(name: str, user: str = own("user"), **more: Any) -> dict[str, Any]:
    return {"event": name, "user_id": user, "properties": {"address": f"{user}@x.org", "page": f"{user}/p"}, **more}


def live(here: Travel, user: str = own("user")) -> None:
    """A life with all that a store can know: journeys that wait, ended and acted, keys, contacts, quarantine."""
    engine = here.engine
    engine.ingest({"event": "seen", "anonymous_id": f"{user}-visitor"})
    engine.identify(user, {"name": user}, anonymous_id=f"{user}-visitor", message_id=f"{user}-identify")
    engine.ingest({"event": "opened", "contact_id": f"con_{user}"})
    engine.identify(user, contact_id=f"con_{user}")
    engine.ingest([event("signed_up", user, message_id=f"{user}-m"), event("cart", user), event("viewed", user)])
    engine.ingest(event("paid", user), once=Once("door", f"{user}-key", None, b""))
    engine.ingest([event("paid", user), event("")], once=Once("door", f"{user}-timed", DAY, b""))
    engine.submit([event("", user), {"event": "", "contact_id": f"con_{user}"}], quarantine=True).result()


def texts(engine: Engine) -> str:
    """All that the store holds, as text."""
    with engine.store.read() as connection:
        rows = [row for name in metadata.tables for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
    return "\n".join(str(tuple(row)) for row in rows)


def counts(here: Travel) -> dict[str, Any]:
    here.engine.settle()
    return {
        one.rule: (one.started, one.acted, one.ended, one.waiting, one.people) for one in here.engine.counts_by_rule()
    }


def erased_codes(receipt: Any) -> list[str | None]:
    return [one.code if isinstance(one, Rejection) else None for one in receipt.outcomes]


@pytest.mark.parametrize("who", [own("user"), own("user-visitor"), "con_" + own("user"), "public", "merged"])
def test_nothing_of_theirs_is_left_and_everything_of_others_is(lab: Lab, who: str) -> None:
    with lab(RULES) as here:
        live(here)
        live(here, "other")
        here.move("1 day")
        person, other = here.engine.find(own("user")), here.engine.find("other")
        assert person is not None
        assert other is not None
        with here.engine.store.read() as connection:
            merged = connection.exec_driver_sql(
                "SELECT public_id FROM people WHERE merged_into = "
                "(SELECT person_id FROM identifiers WHERE value = ?)", (own("user"),)
            ).scalars().all()  # fmt: skip
        ids = {"public": f"con_{ULID(person.id)}", "merged": str(ULID(merged[0])) if merged else ""}
        others = here.engine.export("other")
        assert SECRET in texts(here.engine)

        gone = here.engine.erase(ids.get(who) or who)

        assert gone is not None
        assert {name for name, number in gone.items() if not number} <= {"watches", "on_the_wire"}
        assert SECRET not in texts(here.engine)
        assert repr(person.id) not in texts(here.engine)
        assert here.engine.find(own("user")) is None
        assert here.engine.find(f"con_{ULID(person.id)}") is None
        assert here.engine.export(own("user")) is None
        assert here.engine.erase(own("user")) is None
        assert here.engine.export("other") == others


def test_nobody_is_erased_for_an_unknown_id(lab: Lab) -> None:
    with lab() as here:
        live(here)
        assert here.engine.erase("nobody") is None
        assert here.engine.erase(str(ULID())) is None
        assert here.engine.export("nobody") is None
        assert here.engine.find(own("user")) is not None


def test_what_rules_did_stays_counted_and_what_waited_has_ended(lab: Lab) -> None:
    with lab(RULES) as here:
        live(here)
        here.move("1 day")
        before = counts(here)
        assert before == {
            "cart": (1, 1, 0, 0, 1),
            "welcome": (1, 1, 0, 0, 1),
            "long": (1, 0, 0, 1, 0),
            "each": (1, 0, 0, 1, 0),
        }
        here.engine.erase(own("user"))
        assert counts(here) == {**before, "long": (1, 0, 1, 0, 0), "each": (1, 0, 1, 0, 0)}
        assert {name: one.reasons for name, one in here.engine.endings(3).items() if one.reasons} == {
            "long": {"erased": 1},
            "each": {"erased": 1},
        }
        sent = len(here.actions)
        here.move("30 days")
        assert len(here.actions) == sent == 2
        assert counts(here)["long"] == (1, 0, 1, 0, 0)
        assert [(one.rule, one.person, one.variables) for one in here.engine.sent()] == [
            ("welcome", "", {}),
            ("cart", "", {}),
        ]


def test_triggers_that_were_only_noted_are_counted_before_they_go(lab: Lab) -> None:
    with lab(RULES) as here:
        here.engine.ingest(event("cart"))
        here.engine.erase(own("user"))
        assert counts(here)["cart"] == (1, 0, 1, 0, 0)


def test_nobody_stands_under_a_rule_any_more(lab: Lab) -> None:
    with lab("Rule: quiet\nTrigger: None\nCondition: NOT any event within 24 hours\nAction: mail") as here:
        here.engine.ingest([event("a"), event("a", "bob")])
        here.move("1 hour")
        gone = here.engine.erase(own("user"))
        assert gone is not None
        assert gone["watches"] == 1
        here.move("5 days")
        assert [one.person for one in here.actions] == ["bob"]
        assert SECRET not in texts(here.engine)


def test_what_is_decided_and_has_not_left_is_withdrawn(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: a\nAction: mail to trigger.address") as here:
        here.engine.ingest(event("a"))
        here.engine.decide_due()
        assert here.engine.counts_by_rule()[0].outbox == {"pending": 1}
        here.engine.erase(own("user"))
        here.move("1 day")
        assert here.actions == []
        (figures,) = here.engine.counts_by_rule()
        assert figures.outbox == {"cancelled": 1}
        assert (figures.started, figures.acted, figures.ended, figures.waiting) == (1, 0, 1, 0)


@pytest.mark.parametrize("fails", [False, True])
def test_an_action_under_way_brings_nothing_back(lab: Lab, fails: bool) -> None:
    with lab("Rule: r\nTrigger: a\nAction: mail to trigger.address") as here:
        engine = here.engine
        tries: list[str] = []

        @engine.action("mail")
        def mail(_: object) -> None:
            tries.append("mail")
            with ThreadPoolExecutor(1) as pool:
                pool.submit(engine.erase, own("user")).result()
            if fails:
                raise RuntimeError(own("error"))

        engine.ingest(event("a"))
        here.move("10 days")
        assert tries == ["mail"]
        assert SECRET not in texts(engine)
        (figures,) = engine.counts_by_rule()
        assert figures.outbox == {"dead": 1} if fails else {"sent": 1}
        assert figures.acted == 1


@pytest.mark.parametrize(
    "item",
    [
        event("a"),
        {"event": "a", "anonymous_id": own("user-visitor")},
        {"event": "a", "contact_id": "con_" + own("user")},
        {"type": "identify", "user_id": own("user"), "traits": {"a": 1}},
        {"type": "identify", "user_id": "somebody else", "previous_id": own("user"), "traits": {"a": 1}},
        {"type": "identify", "user_id": "somebody else", "previous_id": own("user-visitor"), "traits": {"a": 1}},
        {"event": "a", "user_id": "somebody else", "anonymous_id": own("user-visitor")},
        event("a", message_id=own("user-m")),
    ],
)
def test_late_events_are_refused_for_as_long_as_events_may_be_late(lab: Lab, item: dict[str, Any]) -> None:
    with lab(max_event_age="3 days") as here:
        live(here)
        here.engine.erase(own("user"))
        here.clock.set(here.clock.now() + 3 * DAY - 1)
        (refused,) = here.engine.ingest(item).rejected
        assert refused.code == "erased"
        assert refused.field in item
        assert here.engine.find("somebody else") is None
        assert here.engine.ingest([item, {"event": "b", "user_id": "bob"}]).stored == 1
        here.clock.set(here.clock.now() + 1)
        assert here.engine.ingest(item).stored == 1


def test_a_public_id_is_refused_as_a_contact_in_any_spelling(lab: Lab) -> None:
    with lab() as here:
        live(here)
        person = here.engine.find(own("user"))
        assert person is not None
        here.engine.erase(own("user"))
        for text in (f"con_{ULID(person.id)}", f"con_{ULID(person.id)}".lower()):
            assert erased_codes(here.engine.ingest({"event": "a", "contact_id": text})) == ["erased"]


def test_it_is_the_erased_persons_ids_alone_that_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with Engine.open(url, workspace="one") as one, Engine.open(url, workspace="two") as two:
        for engine in (one, two):
            engine.ingest([{"event": "a", "user_id": "u"}, {"event": "a", "anonymous_id": "a"}])
        one.erase("u")
        assert one.ingest([{"event": "a", "anonymous_id": "u"}, {"event": "a", "anonymous_id": "a"}]).ok
        assert two.ingest({"event": "a", "user_id": "u"}).ok
        assert two.erase("u") is not None


def test_somebody_erased_returns_as_somebody_new_and_can_be_erased_again(lab: Lab) -> None:
    with lab(RULES) as here:
        for _ in range(2):
            live(here)
            here.engine.erase(own("user"))
            here.move("3 days")
            here.engine.tidy()
            with here.engine.store.read() as connection:
                assert connection.exec_driver_sql("SELECT count(*) FROM tombstones").scalar() == 0
        assert counts(here)["welcome"] == (2, 0, 2, 0, 0)


def test_a_late_event_is_not_kept_in_quarantine_either(lab: Lab) -> None:
    with lab() as here:
        here.engine.types.create("strict", schema={"type": "object", "required": ["x"]})
        live(here)
        here.engine.erase(own("user"))
        items = [event("a"), event("strict"), event(""), {"event": "", "user_id": "bob"}]
        receipt = here.engine.submit(items, quarantine=True).result()
        assert erased_codes(receipt) == ["erased", "erased", "name_missing", "name_missing"]
        assert [one.item for one in here.engine.quarantined().items] == [items[-1]]
        assert SECRET not in texts(here.engine)


@pytest.mark.parametrize("previous", [own("user"), own("user-visitor")])
def test_an_alias_in_quarantine_goes_with_who_somebody_was(lab: Lab, previous: str) -> None:
    alias = {"type": "identify", "user_id": "somebody else", "previous_id": previous, "traits": "none"}
    with lab() as here:
        live(here)
        here.engine.submit([alias], quarantine=True).result()
        here.engine.erase(own("user"))
        here.engine.submit([alias, {**alias, "traits": {}}], quarantine=True).result()
        assert here.engine.quarantined().items == ()
        assert SECRET not in texts(here.engine)


def test_whoever_two_users_became_is_erased_under_both_ids(lab: Lab) -> None:
    with lab(RULES) as here:
        live(here)
        here.engine.identify("new", previous_id=own("user"))
        here.engine.erase("new")
        assert SECRET not in texts(here.engine)
        assert erased_codes(here.engine.ingest([event("a"), event("a", "new")])) == ["erased"] * 2


def test_the_answer_to_several_peoples_call_stays(lab: Lab) -> None:
    """It names nobody, and without it the others' events would be stored twice."""
    with lab() as here:
        once = Once("door", "k", DAY, b"")
        items = [event("a"), {"event": "a", "user_id": "bob"}]
        first = here.engine.ingest(items, once=once)
        here.engine.erase(own("user"))
        assert here.engine.ingest(items, once=once).outcomes == first.outcomes
        assert here.engine.arrivals().total == 1
        assert SECRET not in texts(here.engine)


def test_erasing_while_a_rule_is_paused(lab: Lab) -> None:
    with lab(RULES) as here:
        live(here)
        here.engine.pause("long")
        here.engine.ingest(event("signed_up"))
        here.engine.erase(own("user"))
        assert SECRET not in texts(here.engine)
        here.move("1 day")
        here.engine.resume("long")
        here.move("30 days")
        assert here.actions == []


def test_of_events_that_race_with_it_none_is_left(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url) as engine, Engine.open(url) as other, ThreadPoolExecutor(9) as pool:
        for number in range(5):
            user, begun = own(str(number)), threading.Barrier(9)

            def send(place: int, user: str = user, begun: threading.Barrier = begun) -> list[str | None]:
                begun.wait()
                one = (engine, other)[place % 2]
                return [erased_codes(one.ingest(event("a", user)))[0] for _ in range(20)]

            engine.ingest(event("a", user))
            sent = [pool.submit(send, place) for place in range(8)]
            begun.wait()
            assert engine.erase(user) is not None
            for codes in (future.result() for future in sent):
                assert codes == sorted(codes, key=lambda code: code is not None), "refused from then on"
            assert erased_codes(engine.ingest(event("a", user))) == ["erased"]
        assert SECRET not in texts(engine)


# -------------------------------------------------------------------------------------------- export


def test_the_export_holds_all_that_is_stored(lab: Lab) -> None:
    with lab(RULES) as here:
        live(here)
        here.move("1 day")
        person = here.engine.find(own("user"))
        found = here.engine.export(own("user"))
        assert found is not None
        assert person is not None
        assert found["id"] == f"con_{ULID(person.id)}"
        assert found["first_seen"] == "2026-01-01T00:00:00Z"
        assert [(one["kind"], one["value"]) for one in found["identifiers"]] == [
            ("user", own("user")),
            ("anonymous", own("user-visitor")),
            ("contact", "con_" + own("user")),
        ]
        assert found["attributes"] == {"name": own("user")}
        assert [one["message_id"] for one in found["attribute_changes"]] == [own("user-identify")]
        names = sorted(one["event"] for one in found["events"])
        assert names == ["cart", "mail", "mail", "opened", "paid", "paid", "seen", "signed_up", "viewed"]
        assert {one["rule"]: one["reason"] for one in found["journeys"]} == {
            "cart": "finished", "welcome": "finished", "long": None, "each": None,
        }  # fmt: skip
        assert [(one["rule"], one["status"]) for one in found["actions"]] == [("welcome", "sent"), ("cart", "sent")]
        assert found["actions"][0]["variables"]["to"] == f"{own('user')}@x.org"
        assert [one["event"] for one in found["quarantined"]] == ["", ""]
        assert found == here.engine.export(f"con_{ULID(person.id)}")
