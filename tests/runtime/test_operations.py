"""An operation over many rows takes effect at once and is carried out in pages, and nobody sees half of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as listening

from engine import Engine
from engine.config import load_settings
from engine.runtime import pages
from engine.runtime.operations import STAGES, Done, Operations, Page
from engine.store import operations
from engine.testing import Clock, Recorder, travel

RULES = """
Rule: cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 hours
Action: send_email "reminder"

Rule: late
Trigger: cart_updated
Wait: 2 days
Action: send_push "late"

Rule: hello
Trigger: signed_up
Action: say "hello"
Exit: left

Rule: quiet
Trigger: None
Condition: NOT any event within 2 days
Action: send_email "we miss you"
"""
EDITED = RULES.replace("Wait: 2 days", 'Wait: 2 days\nAction: send_email "first"')
MORE = (
    RULES
    + """
Rule: greeted
Trigger: None
Condition: signed_up at least 1 time
Action: send_email "greeting"
Existing people: include
"""
)
PEOPLE = 7
ONCE = 10_000
"""A page that takes everything: the operation is one transaction."""


class Stage:
    """A store with people in every state, and whatever process works on it."""

    def __init__(self, path: Path, page: int) -> None:
        path.mkdir()
        self.path, self.page = path, page
        self.clock, self.recorder = Clock(), Recorder()
        self.rules = path / "r.rules"
        self.rules.write_text(RULES)
        self.engine = self.open(self.rules)
        self._populate()

    def open(self, rules: Path | None = None) -> Engine:
        settings = load_settings(store=f"sqlite:///{self.path / 'lapse.db'}", operation_page=self.page)
        return Engine.open(rules=rules, clock=self.clock, settings=settings, fallback=self.recorder)

    def event(self, name: str, user: str, at: str | None = None) -> None:
        assert self.engine.ingest({"event": name, "user_id": user, "timestamp": at}).ok

    def travel(self, to: str) -> None:
        travel(self.engine, self.clock, to)

    def _populate(self) -> None:
        for number in range(PEOPLE):
            self.event("seen", f"u{number}", "2025-12-31T12:00:00Z")
            self.event("cart_updated", f"u{number}")
        self.travel("2026-01-01T10:00:00Z")
        for number in range(PEOPLE):
            self.event("signed_up", f"u{number}")
        self.engine.decide_due()  # what says hello is decided, and has not left

    def edit(self, text: str, *, migrate: bool = False) -> None:
        self.rules.write_text(text)
        assert self.engine.load(self.rules, migrate=migrate).ok

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the store holds, but for chance, and for what is set aside to be safe."""
        columns = {
            "journeys": "rule, version, person_id, start, due_at, ended_at, reason, acted_at, left_at, state <> ''",
            "outbox": "rule, person_id, step, name, status, reason, moment, due_at, ready_at, left_at, variables",
            "watches": "rule, person_id, due_at, followed, state",
            "rules": "id, version, live_at, opened_at, removed_at, pauses",
            "events": "person_id, at, type_id",
            "people": "id, first_seen, merged_into, erased_at",
            "identifiers": "person_id, value",
        }
        with self.engine.store.read() as connection:
            return {
                name: sorted(map(tuple, connection.exec_driver_sql(f"SELECT {one} FROM {name}")), key=repr)
                for name, one in columns.items()
            }

    @property
    def under_way(self) -> int:
        with self.engine.store.read() as connection:
            found = connection.exec_driver_sql("SELECT count(*) FROM operations WHERE ended_at IS NULL")
            return int(found.scalar_one())

    @property
    def sent(self) -> list[tuple[str, str, int]]:
        return sorted((one.person, one.action, one.moment) for one in self.recorder.sent)


Given = Callable[[Stage], None]


def paused(stage: Stage) -> None:
    """Before a resumption: what comes late during a pause, and people who become one."""
    for rule in ("cart", "hello", "quiet", "late"):
        stage.engine.pause(rule)
    for number in range(3):
        stage.event("cart_updated", f"u{number}", "2026-01-01T05:00:00Z")
    stage.event("purchase_completed", "u5", "2026-01-01T06:00:00Z")
    stage.travel("2026-01-01T11:00:00Z")


def nothing(_: Stage) -> None:
    """No preparation."""


OPERATIONS: dict[str, tuple[Given, Given]] = {
    "pause hello": (nothing, lambda stage: stage.engine.pause("hello") and None),
    "pause late": (nothing, lambda stage: stage.engine.pause("late") and None),
    "pause quiet": (nothing, lambda stage: stage.engine.pause("quiet") and None),
    "resume cart": (paused, lambda stage: stage.engine.resume("cart") and None),
    "resume hello": (paused, lambda stage: stage.engine.resume("hello") and None),
    "resume quiet": (paused, lambda stage: stage.engine.resume("quiet") and None),
    "remove": (nothing, lambda stage: stage.edit(RULES.split("Rule: late", maxsplit=1)[0])),
    "migrate": (nothing, lambda stage: stage.edit(EDITED, migrate=True)),
    "go live": (nothing, lambda stage: stage.edit(MORE)),
    "erase": (nothing, lambda stage: stage.engine.erase("u3") and None),
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[[int], Stage]]:
    made: list[Stage] = []

    def make(page: int) -> Stage:
        made.append(Stage(tmp_path / str(len(made)), page))
        return made[-1]

    yield make
    for one in made:
        one.engine.close()


@contextmanager
def killed_after(monkeypatch: pytest.MonkeyPatch, pages: int) -> Iterator[None]:
    """The process ends before the page behind so many."""
    page, left = Operations._page, [pages]

    def last(self: Operations, *given: Any, **more: Any) -> Any:
        if not left[0]:
            raise RuntimeError("killed")
        left[0] -= 1
        return page(self, *given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Operations, "_page", last)
        yield


def changed_rows(engine: Engine, work: Callable[[], object]) -> list[int]:
    """How many rows each transaction changes that the engine commits meanwhile."""
    seen: list[int] = []
    begun: dict[int, int] = {}

    def begin(connection: Any) -> None:
        driver = connection.connection.driver_connection
        begun[id(driver)] = driver.total_changes

    def commit(connection: Any) -> None:
        driver = connection.connection.driver_connection
        seen.append(driver.total_changes - begun.get(id(driver), driver.total_changes))

    listening.listen(engine.store.engine, "begin", begin)
    listening.listen(engine.store.engine, "commit", commit)
    try:
        work()
    finally:
        listening.remove(engine.store.engine, "begin", begin)
        listening.remove(engine.store.engine, "commit", commit)
    return seen


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one != "resume cart"])
def test_no_transaction_changes_more_rows_than_a_page_has(operation: str, stage: Callable[[int], Stage]) -> None:
    """A page of two rows, what is written beside it, and the few rows by which an operation takes effect."""
    before, begin = OPERATIONS[operation]
    one = stage(2)
    before(one)
    found = changed_rows(one.engine, lambda: begin(one))
    assert len(found) > PEOPLE // 2
    assert max(found) <= 2 + 14, found


class Slow:
    """A clock that goes on with the rows that pages look at, and how many those were."""

    def __init__(self, seconds: float) -> None:
        self.now, self.seconds = 0.0, seconds
        self.sizes: list[int] = []

    def __call__(self) -> float:
        return self.now

    def timed(self, stage: Callable[[Page], Done]) -> Callable[[Page], Done]:
        def work(page: Page) -> Done:
            done = stage(page)
            self.now += self.seconds * done.rows
            self.sizes.append(done.rows)
            return done

        return work


@pytest.mark.parametrize("operation", [*OPERATIONS, "history"])
def test_a_page_takes_as_many_rows_as_fit_into_a_transaction(
    operation: str, stage: Callable[[int], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, begin = {**OPERATIONS, "history": (nothing, history)}[operation]
    slow = Slow(0.045)
    monkeypatch.setattr("engine.runtime.operations.FIRST", 1)
    for kind, stages in STAGES.items():
        monkeypatch.setitem(STAGES, kind, tuple(map(slow.timed, stages)))  # type: ignore[call-overload]
    one = stage(ONCE)
    before(one)
    one.engine._operations._now = slow
    slow.sizes.clear()
    begin(one)
    assert one.under_way == 0
    assert max(slow.sizes) == 2, "the time of a transaction, 100 ms, has room for two"


def history(stage: Stage) -> None:
    """What came before, of everybody."""
    carts = [
        {"event": "cart_updated", "user_id": f"u{number}", "timestamp": "2025-12-30T12:00:00Z"}
        for number in range(PEOPLE)
    ]
    assert stage.engine.ingest(carts, historical=True, gather=True).ok
    stage.engine.decide_gathered()


def test_the_pages_of_a_stage_that_is_done_leave_the_next_one_the_rest_of_the_time(
    stage: Callable[[int], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several stages share a transaction as long as half of its time is left."""
    quick, slow = stage(ONCE), stage(ONCE)
    clock = Slow(0.01)
    monkeypatch.setitem(STAGES, "pause", tuple(map(clock.timed, STAGES["pause"])))  # type: ignore[call-overload]
    found = {}
    for one, seconds in ((quick, 0.001), (slow, 0.01)):
        clock.seconds = seconds
        one.engine._operations._now = clock
        found[one] = len(changed_rows(one.engine, lambda one=one: one.engine.pause("late")))
    assert found[slow] == found[quick] + 1


def finished(stage: Stage) -> tuple[Any, Any, Any]:
    """The store as the operation leaves it, and what comes of it in the days after."""
    stage.engine.finish_operations()
    assert stage.under_way == 0
    stage.engine.run_due()
    rows = stage.rows()
    stage.travel("2026-01-05T00:00:00Z")
    return rows, stage.rows(), stage.sent


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_between_any_two_pages_it_ends_as_in_one_transaction(
    operation: str, stage: Callable[[int], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, begin = OPERATIONS[operation]
    whole = stage(ONCE)
    before(whole)
    begin(whole)
    expected = finished(whole)
    pages = int(operation == "erase")  # whose first page is in the transaction that begins it
    while True:
        one = stage(2)
        before(one)
        try:
            with killed_after(monkeypatch, pages):
                begin(one)
        except RuntimeError:
            pass
        else:
            break
        one.engine.close()
        one.engine = one.open()
        assert finished(one) == expected, f"killed after {pages} pages"
        one.engine.close()
        pages += 1
    assert pages >= PEOPLE // 2, "there is something to kill between"


def withheld(stage: Stage, begin: Given) -> pytest.MonkeyPatch:
    """Begin an operation of which no page comes by, whoever works on the store; gives what to undo that with."""
    patched = pytest.MonkeyPatch()
    patched.setattr(Operations, "step", lambda *_: False)
    patched.setattr(Operations, "_finish", lambda *_: {})
    patched.setattr(operations, "next_ready", lambda *_: None)
    begin(stage)
    assert stage.under_way
    return patched


def traffic_at_once(stage: Stage) -> None:
    """What may happen to anybody, at the moment there is."""
    for user in ("u1", "u3", "new"):
        stage.event("cart_updated", user)
    stage.event("left", "u2")
    stage.event("cart_updated", "u4", "2026-01-01T01:00:00Z")
    stage.event("purchase_completed", "u6", "2026-01-01T09:00:00Z")
    stage.engine.run_due()


def traffic(stage: Stage) -> None:
    """And as days go by."""
    traffic_at_once(stage)
    stage.travel("2026-01-02T12:00:00Z")
    stage.event("purchase_completed", "u1")
    stage.travel("2026-01-06T00:00:00Z")


@pytest.mark.parametrize(
    ("operation", "happens"),
    [
        ("pause hello", traffic),
        ("pause late", traffic),
        ("pause quiet", traffic),
        ("remove", traffic),
        ("resume cart", traffic_at_once),
        ("resume hello", traffic_at_once),
        ("resume quiet", traffic_at_once),
        ("migrate", traffic_at_once),
    ],
)
def test_before_its_pages_come_by_everything_goes_as_if_they_had(
    operation: str, happens: Given, stage: Callable[[int], Stage]
) -> None:
    before, begin = OPERATIONS[operation]
    whole, one = stage(ONCE), stage(ONCE)
    for each in (whole, one):
        before(each)
    begin(whole)
    happens(whole)
    patched = withheld(one, begin)
    happens(one)
    patched.undo()
    assert finished(one)[1:] == finished(whole)[1:]  # a page may have looked at somebody once more


def seen(stage: Stage) -> dict[str, Any]:
    """What those see who look: people, events, actions."""
    engine = stage.engine
    views = [view for number in range(PEOPLE) if (view := engine.person(f"u{number}")) is not None]
    exports = [engine.export(f"u{number}") for number in range(PEOPLE)]
    keyless = [{**action, "key": ""} for one in exports if one is not None for action in one["actions"]]
    return {
        "journeys": [sorted(map(repr, (one.plain() for one in view.journeys))) for view in views],
        "exported": [None if one is None else sorted(map(repr, one["journeys"])) for one in exports],
        "exported actions": sorted(map(repr, keyless)),
        "listed": sorted(map(repr, pages.journeys(engine, pages.Asked(limit=1_000)).items)),
        "events": [(one.event, one.at) for one in engine.events(limit=100).events],
        "named": [(one.event, one.at) for one in engine.events(names="signed_up", limit=100).events],
        "arrivals": [one.at for one in engine.arrivals(limit=100).events],
        "actions": sorted((one.rule, one.person, one.state, one.reason or "") for one in engine.deliveries().items),
        "variables": [engine.delivery(one.key).variables for one in engine.deliveries().items],  # type: ignore[union-attr]
    }


@pytest.mark.parametrize("operation", ["pause hello", "pause late", "remove", "erase"])
def test_whoever_looks_before_its_pages_come_by_sees_all_of_it(
    operation: str, stage: Callable[[int], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, begin = OPERATIONS[operation]
    whole, one = stage(ONCE), stage(1)
    begin(whole)
    patched = withheld(one, begin)
    found = seen(one)
    patched.undo()
    assert found == seen(whole)


def test_housekeeping_drops_what_has_expired_in_pages(
    stage: Callable[[int], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runtime.housekeeping.PAGE", 2)
    one = stage(2)
    one.engine.erase("u1")
    with one.engine.store.engine.begin() as connection:
        for number in range(9):
            connection.exec_driver_sql(
                "INSERT INTO tombstones (workspace_id, digest, until) VALUES (1, ?, ?)", (f"d{number}", number)
            )
    one.clock.move("30 days")
    found = changed_rows(one.engine, one.engine.tidy)
    assert max(found) <= 2 + 2, "a page, and the operations that have ended"
    with one.engine.store.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tombstones").scalar() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM operations").scalar() == 0
