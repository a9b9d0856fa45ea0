"""Event types of a workspace, and what their schemas let in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Engine
from engine.config import load_settings
from engine.errors import (
    BadSchema,
    ConfigError,
    Incompatible,
    Predefined,
    RefusedError,
    TypeExists,
    TypeInUse,
    UnknownType,
)
from engine.files import EventFile
from engine.ingesting import ingest_file
from engine.runtime import admission
from engine.runtime import types as runtime_types
from engine.runtime.types import Types
from engine.schemas.predefined import PREDEFINED
from engine.testing import Travel

from .conftest import Lab

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {"orderId": {"type": "string"}, "total": {"type": "number"}},
    "required": ["orderId"],
}


@pytest.fixture
def here(lab: Lab) -> Iterator[Travel]:
    with lab() as travel:
        yield travel


@pytest.fixture
def engine(here: Travel) -> Engine:
    return here.engine


def paid(user: str = "u1", **properties: Any) -> dict[str, Any]:
    return {"event": "order.paid", "user_id": user, "properties": properties}


def codes(engine: Engine, *events: dict[str, Any]) -> list[str]:
    return [getattr(one, "code", one.status) for one in engine.ingest(list(events)).outcomes]


# --------------------------------------------------------------------------------------------- the types


def test_every_workspace_has_the_predefined_types(engine: Engine) -> None:
    page = engine.types.list()
    assert {one.name: one.description for one in page.types} == dict(PREDEFINED)
    assert all(one.predefined and one.schema is None and one.suggested_name is None for one in page.types)
    assert page.total == 8


def test_a_name_that_was_met_before_it_was_predefined_becomes_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url) as engine:
        engine.writer.run(
            lambda connection: connection.exec_driver_sql(
                "UPDATE event_types SET predefined = 0, description = NULL WHERE name = 'signed_up'"
            )
        )
        before = engine.types.get("signed_up")
        assert not before.predefined
    with Engine.open(url) as engine:
        after = engine.types.get("signed_up")
        assert (after.id, after.predefined, after.description) == (before.id, True, "User created an account")
        assert engine.types.list().total == 8


def test_a_type_is_made_with_a_schema_and_found_by_id_in_any_spelling_and_by_name(here: Travel) -> None:
    types = here.engine.types
    made = types.create("order.paid", schema=ORDER, description="Customer paid for an order.")
    assert made.id.startswith("evt-type_")
    assert len(made.id) == len("evt-type_") + 26
    assert (made.name, made.schema, made.description) == ("order.paid", ORDER, "Customer paid for an order.")
    assert made.created_at == made.updated_at == here.clock.now()
    assert not made.predefined
    bare = made.id.removeprefix("evt-type_")
    for spelling in (made.id, made.id.lower(), bare, bare.lower(), "order.paid"):
        assert types.get(spelling) == made


@pytest.mark.parametrize("wanted", ["evt-type_01HV8ZA9Q4C2B5P6N7R8S9T0V1", "evt-type_", "nobody", "", "con_1", "\0"])
def test_what_is_not_there_is_unknown(engine: Engine, wanted: str) -> None:
    for act in (engine.types.get, engine.types.delete, engine.types.update):
        with pytest.raises(UnknownType):
            act(wanted)


def test_another_workspace_has_types_of_its_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url) as one, Engine.open(url, workspace="other") as other:
        made = one.types.create("order.paid", schema=ORDER)
        with pytest.raises(UnknownType):
            other.types.get(made.id)
        assert codes(other, paid()) == ["accepted"]
        assert codes(one, paid()) == ["breaks_schema"]
        other.types.create("order.ready")
        assert [page.total for page in (one.types.list(), other.types.list())] == [9, 10]


def test_pages_go_through_all_types_in_the_order_they_were_made(here: Travel) -> None:
    names = list(PREDEFINED)
    for number in range(5):
        here.move("1 second")
        names.append(here.engine.types.create(f"custom_{number}").name)
    seen: list[str] = []
    after = None
    while True:
        page = here.engine.types.list(after=after, limit=4)
        assert page.total == 13
        seen += [one.name for one in page.types]
        after = page.after
        if after is None:
            break
    assert sorted(seen[:8]) == sorted(names[:8])
    assert seen[8:] == names[8:]
    assert here.engine.types.list(limit=13).after is None
    with pytest.raises(UnknownType):
        here.engine.types.list(after="nonsense")


def test_a_name_that_is_taken_is_refused_also_when_only_met(engine: Engine) -> None:
    engine.types.create("order.paid")
    engine.ingest({"event": "met", "user_id": "u1"})
    for name in ("order.paid", "signed_up", "met"):
        with pytest.raises(TypeExists, match=name):
            engine.types.create(name)
    made = engine.types.create("another")
    with pytest.raises(TypeExists):
        engine.types.update(made.id, name="met")
    assert engine.types.get(made.id).name == "another"


@pytest.mark.parametrize(
    ("name", "code"), [("", "name_missing"), ("x" * 201, "name_too_long"), ("a\0", "nul"), (5, "name_not_text")]
)
def test_a_name_is_what_an_event_may_be_called(engine: Engine, name: Any, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.types.create(name)
    assert refused.value.code == code
    assert engine.types.create("x" * 200).name == "x" * 200


def test_a_description_is_bounded_text(lab: Lab) -> None:
    with lab(types={"description_length": 3}) as here:
        assert here.engine.types.create("a", description="abc").description == "abc"
        for text, code in (("abcd", "description_too_long"), (5, "description_not_text"), ("a\0", "nul")):
            with pytest.raises(RefusedError) as refused:
                here.engine.types.create("b", description=text)  # type: ignore[arg-type]
            assert refused.value.code == code


def test_the_settings_bound_schemas(lab: Lab) -> None:
    with lab(types={"schema_depth": 2}) as here:
        here.engine.types.create("a", schema={"required": ["x"]})
        with pytest.raises(BadSchema, match="2 levels"):
            here.engine.types.create("b", schema={"properties": {"x": {}}})
        with pytest.raises(UnknownType):
            here.engine.types.get("b")


def test_what_is_not_given_stays_and_none_clears(here: Travel) -> None:
    types = here.engine.types
    made = types.create("order.paid", schema=ORDER, description="Paid.")
    here.move("1 minute")
    renamed = types.update(made.id, name="order.done").type
    assert (renamed.id, renamed.schema, renamed.description) == (made.id, ORDER, "Paid.")
    assert renamed.updated_at == here.clock.now() > renamed.created_at == made.created_at
    cleared = types.update(made.id, description=None, schema=None).type
    assert (cleared.name, cleared.schema, cleared.description) == ("order.done", None, None)


def test_events_of_a_renamed_type_show_its_new_name(engine: Engine) -> None:
    made = engine.types.create("order.paid")
    engine.ingest(paid())
    engine.types.update(made.id, name="order_ready")
    assert [one.event for one in engine.events(names=["order_ready"]).events] == ["order_ready"]
    assert engine.types.get("order_ready").id == made.id
    engine.ingest(paid())
    assert engine.types.get("order.paid").id != made.id


RULES = """
Rule: orders
Trigger: cart_updated
Condition: NOT "order.paid" within 24 hours
Action: track reminded

Rule: everything
Trigger: any event
"""


def test_a_name_that_a_live_rule_says_stays(lab: Lab) -> None:
    with lab(RULES) as here:
        for name in ("cart_updated", "order.paid", "reminded"):
            made = here.engine.types.create(name)
            with pytest.raises(TypeInUse, match="'orders'") as refused:
                here.engine.types.update(made.id, name="other")
            assert refused.value.rules == ("orders",)
            assert here.engine.types.update(made.id, description="More.").type.name == name
        made = here.engine.types.create("free")
        assert here.engine.types.update(made.id, name="freed").type.name == "freed"


def test_rules_that_another_process_made_live_count_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lapse.db"
    rules = tmp_path / "orders.rules"
    rules.write_text(RULES)
    with Engine.open(url) as service, Engine.open(url) as daemon:
        made = service.types.create("order.paid")
        daemon.load(rules)
        with pytest.raises(TypeInUse):
            service.types.update(made.id, name="other")


def test_a_predefined_type_keeps_its_name_and_stays_but_takes_a_schema(engine: Engine) -> None:
    with pytest.raises(Predefined):
        engine.types.update("signed_up", name="registered")
    with pytest.raises(Predefined):
        engine.types.delete("signed_up")
    changed = engine.types.update("signed_up", schema={"required": ["method"]}, description="Ours").type
    assert (changed.schema, changed.description) == ({"required": ["method"]}, "Ours")
    assert codes(engine, {"event": "signed_up", "user_id": "u1"}) == ["breaks_schema"]


def test_a_type_is_deleted_unless_its_events_are_stored(engine: Engine) -> None:
    made = engine.types.create("order.paid", schema=ORDER)
    engine.types.delete(made.id)
    with pytest.raises(UnknownType):
        engine.types.get(made.id)
    assert codes(engine, paid()) == ["accepted"]
    with pytest.raises(TypeInUse) as refused:
        engine.types.delete("order.paid")
    assert refused.value.rules == ()


def test_names_beside_the_convention_carry_a_suggestion(engine: Engine) -> None:
    made = engine.types.create("UserSignedUp")
    assert made.suggested_name == "user_signed_up"
    assert made.plain()["suggested_name"] == "user_signed_up"
    assert engine.types.create("order.paid").suggested_name is None


# ------------------------------------------------------------------------------------ what they let in


def test_an_event_that_breaks_its_schema_is_refused_and_the_others_kept(engine: Engine) -> None:
    engine.types.create("order.paid", schema=ORDER)
    receipt = engine.ingest(
        [paid(), paid(orderId="1"), {"event": "order.paid"}, paid(orderId=1), {"event": "x", "user_id": "u"}]
    )
    assert [
        (one.index, one.code, one.reason, one.field) for one in receipt.rejected if one.code == "breaks_schema"
    ] == [
        (0, "breaks_schema", "Missing required field: orderId", "properties.orderId"),
        (3, "breaks_schema", "orderId is a number; it is to be text", "properties.orderId"),
    ]
    assert len(receipt.ids) == 2
    assert [one.event for one in engine.events().events] == ["x", "order.paid"]


def test_a_refused_event_uses_up_no_message_id_and_makes_nobody(engine: Engine) -> None:
    engine.types.create("order.paid", schema=ORDER)
    assert codes(engine, {**paid(), "message_id": "m1"}) == ["breaks_schema"]
    assert engine.person("u1") is None
    assert codes(engine, {**paid(orderId="1"), "message_id": "m1"}) == ["accepted"]


def test_files_and_timed_events_come_through_the_same_validator(engine: Engine, here: Travel, tmp_path: Path) -> None:
    engine.types.create("order.paid", schema=ORDER)
    log = tmp_path / "log.jsonl"
    log.write_text('{"event": "order.paid", "user_id": "u1", "timestamp": "2025-12-31T23:00:00Z"}\n')
    with EventFile(log, {}) as file:
        summary = ingest_file(engine, file)
    assert [(one.index, one.code) for one in summary.rejected] == [(1, "breaks_schema")]
    now = here.clock.now()
    timed = engine.ingest_timed([({**paid(), "timestamp": "2025-12-31T23:00:00Z"}, now)])
    assert [getattr(one, "code", None) for one in timed] == ["breaks_schema"]


def test_traits_are_nobody_s_schema(engine: Engine) -> None:
    engine.types.create("order.paid", schema=ORDER)
    assert engine.identify("u1", {"plan": "free"}).ok


def test_what_another_process_changed_holds_from_the_next_batch_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url) as service, Engine.open(url) as office:
        assert codes(service, paid()) == ["accepted"]
        office.types.update("order.paid", schema={"properties": {"total": {"type": "number"}}})
        assert codes(service, paid(total="x"), paid(total=1)) == ["breaks_schema", "accepted"]
        office.types.update("order.paid", schema=None)
        assert codes(service, paid(total="x")) == ["accepted"]
        office.types.update("order.paid", name="order_paid")
        assert codes(service, paid(total="x")) == ["accepted"]


def test_schemas_are_compiled_once_and_again_only_when_they_changed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[dict[str, Any]] = []
    real = admission.recompile
    monkeypatch.setattr(admission, "recompile", lambda plain: compiled.append(plain) or real(plain))  # type: ignore[func-returns-value]
    engine.types.create("order.paid", schema=ORDER)
    for _ in range(3):
        engine.ingest([paid(orderId="1")] * 10)
    assert compiled == [ORDER]
    engine.types.create("other", schema={})
    engine.ingest(paid(orderId="1"))
    assert compiled == [ORDER, {}]


def test_without_schemas_no_event_is_looked_at(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission.Admission, "_breaking", None)
    assert codes(engine, *[paid()] * 3) == ["accepted"] * 3


def test_where_schemas_cannot_be_checked_nothing_slips_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(plain: dict[str, Any]) -> None:
        raise ConfigError("the schema cannot be compiled")

    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url) as service, Engine.open(url) as office:
        office.types.create("order.paid", schema=ORDER)
        monkeypatch.setattr(admission, "recompile", missing)
        with pytest.raises(ConfigError, match="compiled"):
            service.ingest(paid())


def test_unknown_names_become_custom_types(engine: Engine) -> None:
    engine.ingest({"event": "met", "user_id": "u1"})
    met = engine.types.get("met")
    assert (met.predefined, met.schema, met.description) == (False, None, None)


TRACKING = """
Rule: tracks
Trigger: signed_up
Action: track welcomed
"""


def test_a_setting_refuses_unknown_names(lab: Lab) -> None:
    with lab(TRACKING, types={"unknown": "refuse"}) as here:
        engine = here.engine
        receipt = engine.ingest([{"event": "met", "user_id": "u1"}, {"event": "signed_up", "user_id": "u1"}])
        assert [(one.code, one.field) for one in receipt.rejected] == [("unknown_event", "event")]
        assert len(receipt.ids) == 1
        here.move("1 minute")
        assert codes(engine, {"event": "welcomed", "user_id": "u1"}) == ["accepted"]
        made = engine.types.create("met")
        assert codes(engine, {"event": "met", "user_id": "u1"}) == ["accepted"]
        engine.types.update(made.id, name="met_again")
        assert codes(engine, {"event": "met", "user_id": "u1"}) == ["unknown_event"]


def test_what_one_door_demands_holds_at_no_other(engine: Engine) -> None:
    schema = engine.types.door_schemas("flokit")["subscription_started"]
    problem = schema.problem({"revenue": 49.99})
    assert problem is not None
    assert problem.reason == "Missing required field: currency"
    assert schema.problem({"currency": "USD"}) is None
    assert "trial_started" not in engine.types.door_schemas("flokit")
    assert engine.types.door_schemas("flameup") == {}
    assert codes(engine, {"event": "subscription_started", "user_id": "u1"}) == ["accepted"]


# ---------------------------------------------------------------------------------- changes of schemas


def test_by_a_setting_a_schema_that_refuses_what_the_old_one_took_is_refused_with_an_example(lab: Lab) -> None:
    with lab(types={"changes": "schema"}) as here:
        types = here.engine.types
        types.create("order.paid", schema=ORDER)
        with pytest.raises(Incompatible) as refused:
            types.update("order.paid", schema={**ORDER, "required": ["orderId", "total"]})
        assert "total is required, and was not before" in refused.value.reason
        assert refused.value.example == {"orderId": ""}
        assert refused.value.event is None
        assert types.get("order.paid").schema == ORDER


def test_stored_events_decide_and_the_comparison_warns(lab: Lab) -> None:
    stricter = {**ORDER, "required": ["orderId", "total"]}
    with lab() as here:
        types = here.engine.types
        types.create("order.paid", schema=ORDER)
        here.engine.ingest(paid(orderId="1", total=2))
        changed = types.update("order.paid", schema=stricter)
        assert changed.type.schema == stricter
        assert "total is required, and was not before" in changed.warnings[0]
        types.create("order.ready", schema=ORDER)
        here.engine.ingest({**paid(orderId="1"), "event": "order.ready"})
        with pytest.raises(Incompatible, match="the stored event evt_"):
            types.update("order.ready", schema=stricter)


def test_a_first_schema_has_to_take_the_stored_events_alone(engine: Engine) -> None:
    receipt = engine.ingest([paid(orderId="1"), paid(total=5)])
    with pytest.raises(Incompatible) as refused:
        engine.types.update("order.paid", schema=ORDER)
    assert refused.value.event == receipt.ids[1]
    assert receipt.ids[1] in refused.value.reason
    assert refused.value.example == {"total": 5}
    changed = engine.types.update("order.paid", schema={"properties": {"total": {"type": "number"}}})
    assert changed.warnings == ()
    assert codes(engine, paid(total="x")) == ["breaks_schema"]


def test_stored_events_decide_what_the_comparison_cannot(engine: Engine) -> None:
    engine.types.create("order.paid", schema=ORDER)
    stored = engine.ingest([paid(orderId="1"), paid(orderId="two")])
    with pytest.raises(Incompatible) as refused:
        engine.types.update(
            "order.paid", schema={**ORDER, "properties": {"orderId": {"type": "string", "pattern": "^1$"}}}
        )
    assert refused.value.event == stored.ids[1]
    changed = engine.types.update(
        "order.paid",
        schema={**ORDER, "properties": {**ORDER["properties"], "orderId": {"type": "string", "pattern": "^(1|two)$"}}},
    )
    assert "could not be made sure" in changed.warnings[0]
    assert "'pattern'" in changed.warnings[0]


def test_a_change_proven_to_be_compatible_looks_at_no_event(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.types.create("order.paid", schema=ORDER)
    engine.ingest(paid(orderId="1"))
    monkeypatch.setattr(runtime_types, "_refuse_broken", None)
    changed = engine.types.update("order.paid", schema={**ORDER, "required": []})
    assert changed.warnings == ()
    assert engine.types.update("order.paid", schema={}).type.schema == {}


def test_a_scan_goes_page_by_page_to_the_end(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_types, "PAGE", 2)
    receipt = engine.ingest([paid(orderId=str(number)) for number in range(5)] + [paid(total=1)])
    with pytest.raises(Incompatible) as refused:
        engine.types.update("order.paid", schema=ORDER)
    assert refused.value.event == receipt.ids[5]


Meanwhile = list[Any]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """What is put in here is done once a scan of the stored events is over, before anything is written."""
    done: Meanwhile = []
    real = Types._scan

    def scan(self: Types, *what: Any) -> Any:
        scanned = real(self, *what)
        while done:
            done.pop(0)()
        return scanned

    monkeypatch.setattr(Types, "_scan", scan)
    return done


def test_what_arrives_during_a_scan_is_looked_at_too(
    engine: Engine, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_types, "PAGE", 2)
    engine.ingest(paid(orderId="1"))
    late = [paid(orderId="2")] * 3 + [{"event": "other", "user_id": "u1"}, paid(total=3)]
    meanwhile.append(lambda: engine.ingest(late))
    with pytest.raises(Incompatible) as refused:
        engine.types.update("order.paid", schema=ORDER)
    assert refused.value.example == {"total": 3}
    assert engine.types.get("order.paid").schema is None


def test_a_schema_that_changed_during_a_scan_is_compared_anew(engine: Engine, meanwhile: Meanwhile) -> None:
    engine.ingest(paid(orderId="1", total=2))
    meanwhile.append(lambda: engine.types.update("order.paid", schema=ORDER))
    changed = engine.types.update("order.paid", schema={"required": ["orderId", "total"]})
    assert "total is required, and was not before" in changed.warnings[0]


def test_events_removed_during_a_scan_make_it_begin_again(engine: Engine, meanwhile: Meanwhile) -> None:
    """Their rows may be used again, by events that nobody has looked at."""

    def replace() -> None:
        engine.writer.run(lambda connection: connection.exec_driver_sql("DELETE FROM events"))
        engine.ingest(paid(total=7))

    engine.ingest(paid(orderId="1"))
    meanwhile.append(replace)
    with pytest.raises(Incompatible) as refused:
        engine.types.update("order.paid", schema=ORDER)
    assert refused.value.example == {"total": 7}


def test_a_type_deleted_during_a_scan_is_unknown(engine: Engine, meanwhile: Meanwhile) -> None:
    made = engine.types.create("order.paid")
    meanwhile.append(lambda: engine.types.delete(made.id))
    with pytest.raises(UnknownType):
        engine.types.update(made.id, schema=ORDER)


def test_no_event_that_breaks_the_schema_is_ever_stored_beside_it(tmp_path: Path) -> None:
    """A service goes on ingesting while an office adds a schema: it takes all that was stored, or it is refused."""
    url = f"sqlite:///{tmp_path}/lapse.db"
    with Engine.open(url) as service, Engine.open(url) as office:
        for round in range(10):
            name = f"round_{round}"
            good = [{"event": name, "user_id": "u1", "properties": {"orderId": "1"}}] * 20
            bad = {"event": name, "user_id": "u1"}
            service.ingest(good)
            begun = threading.Event()

            def send(bad: dict[str, Any] = bad, begun: threading.Event = begun) -> None:
                begun.set()
                service.ingest(bad)

            sender = threading.Thread(target=send)
            sender.start()
            begun.wait()
            try:
                office.types.update(name, schema=ORDER)
                held = True
            except Incompatible:
                held = False
            sender.join()
            stored = service.events(names=[name]).events
            assert all("orderId" in one.properties for one in stored) == held


def test_the_settings_are_settings() -> None:
    with pytest.raises(ConfigError, match="did you mean 'unknown'"):
        load_settings(types={"unknwn": "accept"})
