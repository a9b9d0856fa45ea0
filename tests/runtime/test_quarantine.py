"""What is refused and kept all the same: listed, tried again, let go."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigError
from engine.receipt import Accepted, Rejection
from engine.runtime.engine import Engine, Item
from engine.runtime.once import Once
from engine.store import counters
from engine.testing import Travel

from .conftest import Lab

SHORT = {"limits": {"name_length": 5}}
SCHEMA = {"type": "object", "required": ["plan"]}


def submit(engine: Engine, *items: Item, **more: Any) -> Any:
    return engine.submit(items, source="segment", quarantine=True, **more).result()


def seen(here: Travel) -> list[tuple[str, Any]]:
    return [(one.row.code, one.item) for one in here.engine.quarantined().items]


def counted(here: Travel) -> dict[str, int]:
    with here.engine.store.read() as connection:
        return {name: times for (_, name), times in counters.counters(connection, here.engine.workspace).items()}


def test_what_is_refused_is_kept_with_its_reason_and_the_rest_is_stored(lab: Lab) -> None:
    with lab() as here:
        here.engine.types.create("strict", schema=SCHEMA)
        good = {"event": "a", "user_id": "u"}
        bad = {"event": "b", "user_id": ""}
        breaks = {"event": "strict", "user_id": "u", "properties": {"x": 1}}
        receipt = submit(here.engine, good, bad, "text", breaks)
        assert [one.code for one in receipt.rejected] == ["no_person", "not_object", "breaks_schema"]
        assert seen(here) == [("breaks_schema", breaks), ("not_object", "text"), ("no_person", bad)]
        newest = here.engine.quarantined().items[0]
        assert newest.plain() == {
            "id": newest.id,
            "received_at": "2026-01-01T00:00:00Z",
            "source": "segment",
            "code": "breaks_schema",
            "reason": "Missing required field: plan",
            "field": "properties.plan",
            "item": breaks,
        }
        assert here.engine.arrivals().total == 1


def test_without_being_asked_nothing_is_kept(lab: Lab) -> None:
    with lab() as here:
        here.engine.ingest([{"event": "a"}])
        assert here.engine.quarantined().total == 0


@pytest.mark.parametrize(
    "odd",
    ["half \ud83d", "nul \0", 10**100, None, [], {}, {"event": "\ud800\0", "user_id": "\udc00"}, {"": {"": [1.5]}}],
)
def test_odd_items_are_kept_as_they_came(lab: Lab, odd: Any) -> None:
    with lab() as here:
        submit(here.engine, odd)
        assert [item for _, item in seen(here)] == [odd]
        assert here.engine.reingest([one.id for one in here.engine.quarantined().items]).keys() == {
            one.id for one in here.engine.quarantined().items
        }


@pytest.mark.parametrize("item", [{"event": "a", "at": {1, 2}}, Rejection(0, "unknown_field", "of the door")])
def test_what_no_json_can_say_or_the_door_refused_is_not_kept(lab: Lab, item: Any) -> None:
    with lab() as here:
        assert submit(here.engine, item, {"event": "a", "user_id": "u"}).stored == 1
        assert here.engine.quarantined().total == 0


def test_what_is_good_by_now_is_stored_as_of_when_it_came(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: welcome\nAction: mail", **SHORT) as here:
        item = {"event": "welcome", "user_id": "u", "message_id": "m"}
        submit(here.engine, item, {"event": "a"})
        came = here.clock.now()
        here.move("2 hours")
        first, second = [one.id for one in here.engine.quarantined().items]
        assert here.engine.reingest([second])[second].code == "name_too_long"  # type: ignore[union-attr]
        object.__setattr__(
            here.engine.settings, "limits", here.engine.settings.limits.model_copy(update={"name_length": 9})
        )
        told = here.engine.reingest([second, first, "qua_unknown"])
        assert isinstance(told[second], Accepted)
        assert isinstance(told[first], Rejection)
        assert set(told) == {first, second}
        assert [one.id for one in here.engine.quarantined().items] == [first]
        (stored,) = here.engine.arrivals().events
        assert (stored.at, stored.received_at, stored.source, stored.message_id) == (came, came, "segment", "m")
        here.move("1 minute")
        assert [one.action for one in here.actions] == ["mail"]


def test_what_came_long_ago_is_no_history_for_having_waited(lab: Lab) -> None:
    with lab("Rule: r\nTrigger: signed_up\nAction: mail", late="100 days") as here:
        here.engine.types.create("signed_up_not", schema=SCHEMA)
        kind = here.engine.types.create("paid", schema=SCHEMA)
        submit(here.engine, {"event": "paid", "user_id": "u"})
        here.move("30 days")
        here.engine.types.update(kind.id, schema=None)
        (id,) = [one.id for one in here.engine.quarantined().items]
        assert isinstance(here.engine.reingest([id])[id], Accepted)
        (stored,) = here.engine.events().events
        assert not stored.historical


def test_what_is_stored_already_leaves_the_quarantine(lab: Lab) -> None:
    with lab() as here:
        here.engine.types.create("paid", schema=SCHEMA)
        item = {"event": "paid", "user_id": "u", "message_id": "m"}
        submit(here.engine, item)
        here.engine.types.update("paid", schema=None)
        here.engine.ingest(item)
        (id,) = [one.id for one in here.engine.quarantined().items]
        assert here.engine.reingest([id])[id].status == "duplicate"
        assert here.engine.quarantined().total == 0


def test_items_are_let_go(lab: Lab) -> None:
    with lab() as here:
        submit(here.engine, *({"event": str(number)} for number in range(3)))
        ids = [one.id for one in here.engine.quarantined().items]
        assert here.engine.discard([ids[1], "qua_", "qua_01HV8ZB8C3V5N6M7P8Q9R0S1T2", ids[1]]) == 1
        assert [one.id for one in here.engine.quarantined().items] == [ids[0], ids[2]]


def test_pages_newest_first_whatever_goes_meanwhile(lab: Lab) -> None:
    with lab(page_limit=3) as here:
        for number in range(7):
            submit(here.engine, {"event": str(number)})
        page = here.engine.quarantined(limit=100)
        assert (len(page.items), page.total) == (3, 7)
        here.engine.discard([page.items[-1].id])
        names = [one.item["event"] for one in page.items]
        while page.after is not None:
            page = here.engine.quarantined(limit=2, after=page.after)
            names += [one.item["event"] for one in page.items]
        assert names == ["6", "5", "4", "3", "2", "1", "0"]
        with pytest.raises(ConfigError, match="is no cursor"):
            here.engine.quarantined(after="x")


def test_the_oldest_go_when_there_are_too_many(lab: Lab) -> None:
    with lab(quarantine={"items": 3}) as here:
        submit(here.engine, *({"event": str(number)} for number in range(3)))
        assert counted(here) == {}
        submit(here.engine, {"event": "3"}, {"event": "4"})
        assert [item["event"] for _, item in seen(here)] == ["4", "3", "2"]
        assert counted(here) == {"quarantine_dropped": 2}


def test_what_is_too_large_is_counted_and_not_kept(lab: Lab) -> None:
    exact = {"event": "x" * 20}
    with lab(quarantine={"item_bytes": 32}) as here:
        submit(here.engine, exact, {"event": "x" * 21})
        assert [item for _, item in seen(here)] == [exact]
        assert counted(here) == {"quarantine_too_large": 1}


def test_a_workspace_sees_its_own_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with Engine.open(url, workspace="one") as one, Engine.open(url, workspace="two") as two:
        submit(one, {"event": "a"})
        (id,) = [each.id for each in one.quarantined().items]
        assert two.quarantined().total == 0
        assert two.reingest([id]) == {}
        assert two.discard([id]) == 0
        assert one.quarantined().total == 1


def test_tried_again_at_the_same_time_it_is_stored_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with Engine.open(url) as engine, Engine.open(url) as other:
        engine.types.create("paid", schema=SCHEMA)
        for _ in range(10):
            submit(engine, *({"event": "paid", "user_id": "u"} for _ in range(5)))
        engine.types.update("paid", schema=None)
        ids = [one.id for one in engine.quarantined().items]
        gate = threading.Barrier(4)

        def again(one: Engine) -> int:
            gate.wait()
            return len(one.reingest(ids))

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(again, [engine, other, engine, other])) == 50
        assert engine.arrivals().total == 50
        assert engine.quarantined().total == 0


def test_a_repeated_call_keeps_nothing_again(lab: Lab) -> None:
    with lab() as here:
        once = Once("door", "k", 1_000_000, b"", keeps_refusals=True)
        for _ in range(2):
            submit(here.engine, {"event": "a"}, once=once)
        assert here.engine.quarantined().total == 1


def test_a_trackers_bad_message_is_kept_on_disk_with_the_good(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url) as engine:
        submit(engine, {"event": "a"}, {"event": "b", "user_id": "u"})
    with Engine.open(url) as engine:
        assert engine.quarantined().total == 1
        assert engine.arrivals().total == 1
