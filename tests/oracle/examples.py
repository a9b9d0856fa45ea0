"""The table of examples: a rule, a timeline in hours, and the journeys it must give.

The oracle is tested against it, and so is the engine. Hour 0 is Thursday, 2026-01-01 00:00 UTC. A journey
reads as ``trigger actions ending``: ``0 mail@24 finished@24``. A trigger that moved the journey is written
behind the first one (``0>5``), the value of ``For each:`` after a slash, a step's name after the action
where it matters (``mail:4.1.2@5``), and what was not taken with its reason (``-mail@5=no_recipient``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.language import read_quiet_hours

from .build import START, attr, ev, hour, moment_text, utc, was
from .conditions import DrawKey
from .oracle import Journey
from .timeline import Change, Entry, Event
from .times import HOUR

People = Mapping[str, tuple[Entry, ...]]


@dataclass(frozen=True)
class Case:
    """One row. ``rule`` is text; ``expected`` is for person ``p``, or for each person by name."""

    name: str
    rule: str
    entries: tuple[Entry, ...] | People
    expected: tuple[str, ...] | Mapping[str, tuple[str, ...]]
    until: float = 1000
    steps: bool = False  # show step names
    iso: bool = False  # show moments as wall clock UTC
    settings: Mapping[str, Any] = field(default_factory=dict)
    draws: Mapping[DrawKey, float] = field(default_factory=dict)

    @property
    def people(self) -> People:
        return self.entries if isinstance(self.entries, Mapping) else {"p": self.entries}

    @property
    def answers(self) -> Mapping[str, tuple[str, ...]]:
        return self.expected if isinstance(self.expected, Mapping) else {"p": self.expected}

    def draw(self, key: DrawKey, person: str) -> float:
        """The draws of this row: 0.5 where it names none."""
        return self.draws.get(key, 0.5)


def describe(journey: Journey, steps: bool = False, iso: bool = False) -> str:
    """A journey as the table writes it."""

    def at(moment: int) -> str:
        return moment_text(moment) if iso else f"{(moment - START) / HOUR:g}"

    def step(name: str) -> str:
        return f":{name}" if steps else ""

    words = [at(journey.first_at)]
    if journey.trigger_at != journey.first_at:
        words[0] += f">{at(journey.trigger_at)}"
    if journey.value is not None:
        words[0] += f"/{journey.value}"
    if journey.held_out:
        words.append("held")
    words += [
        f"{one.name}{f'({one.template})' if one.template else ''}{step(one.step)}@{at(one.at)}"
        for one in journey.actions
    ]
    words += [f"-{one.name}@{at(one.at)}={one.why}" for one in journey.skipped]
    if journey.goal_at is not None:
        words.append(f"goal@{at(journey.goal_at)}")
    ending = "waiting" if journey.ended_at is None else f"{journey.reason}@{at(journey.ended_at)}"
    return " ".join([*words, ending])


SEEN = ev(-2000, "seen")  # somebody known for long


def on(text: str, name: str, /, **properties: Any) -> Event:
    """An event at a wall-clock time in UTC."""
    return Event(utc(text), name, properties)


def at_utc(text: str, **values: Any) -> Change:
    return Change(utc(text), values)


FOUR_RULES = [
    Case("welcome", "Trigger: signed_up", (ev(0, "signed_up"),), ("0 match@0 finished@0",)),
    Case(
        "abandoned cart: nothing bought",
        "Trigger: cart_updated\nCondition: NOT purchase_completed within 24 hours",
        (ev(0, "cart_updated"),),
        ("0 match@24 finished@24",),
    ),
    Case(
        "abandoned cart: bought in time",
        "Trigger: cart_updated\nCondition: NOT purchase_completed within 24 hours",
        (ev(0, "cart_updated"), ev(23, "purchase_completed")),
        ("0 false@23",),
    ),
    Case(
        "the one-line form, still open",
        "Trigger: cart_updated; Condition: NOT purchase_completed within 24h",
        (ev(0, "cart_updated"),),
        ("0 waiting",),
        until=23,
    ),
    Case(
        "re-engagement: from exactly thirty days after the last login on",
        "Trigger: None\nCondition: NOT logged_in within 30 days",
        (ev(0, "logged_in"),),
        ("720 match@720 finished@720",),
    ),
    Case(
        "re-engagement: once per quiet spell",
        "Trigger: None\nCondition: NOT logged_in within 30 days",
        (ev(0, "logged_in"), ev(1000, "logged_in"), ev(1001, "seen")),
        ("720 match@720 finished@720", "1720 match@1720 finished@1720"),
        until=3000,
    ),
    Case(
        "re-engagement: a login at exactly the edge prevents it",
        "Trigger: None\nCondition: NOT logged_in within 30 days",
        (ev(0, "logged_in"), ev(720, "logged_in")),
        (),
        until=1439,
    ),
    Case(
        "re-engagement: absence is claimed only for time watched",
        "Trigger: None\nCondition: NOT logged_in within 30 days",
        (ev(100, "seen"),),
        ("820 match@820 finished@820",),
    ),
    Case(
        "upsell: the attribute as it stands",
        "Trigger: feature_limit_reached\nCondition: plan = 'free'",
        (attr(0, plan="free"), ev(1, "feature_limit_reached"), attr(2, plan="pro"), ev(3, "feature_limit_reached")),
        ("1 match@1 finished@1", "3 false@3"),
    ),
    Case(
        "section 8: the mail goes out a day after the last change",
        """
        Rule: abandoned-cart
        Trigger: cart_updated where cart_total >= 50, currency = PLN
        Only while: person.country in (PL, DE)
        Condition: NOT purchase_completed where same cart_id within 24 hours
        Action: send_email "cart_reminder" to person.email with discount = 10
        Wait: 2 days
        Action: send_push "still_here"
        Limit: once per person per 7 days
        """,
        (
            attr(-1, country="PL", email="p@example.org"),
            ev(0, "cart_updated", cart_id="c1", cart_total=80, currency="PLN"),
            ev(3, "cart_updated", cart_id="c1", cart_total=95, currency="PLN"),
        ),
        ("0>3 send_email(cart_reminder)@27 send_push(still_here)@75 finished@75",),
    ),
    Case(
        "section 8: nobody who buys in time is written to",
        """
        Trigger: cart_updated where cart_total >= 50, currency = PLN
        Only while: person.country in (PL, DE)
        Condition: NOT purchase_completed where same cart_id within 24 hours
        Action: send_email "cart_reminder"
        """,
        (
            attr(-1, country="PL"),
            ev(0, "cart_updated", cart_id="c1", cart_total=80, currency="PLN"),
            ev(23, "purchase_completed", cart_id="c1"),
        ),
        ("0 false@23",),
    ),
    Case(
        "a purchase of another cart does not count",
        "Trigger: cart\nCondition: NOT buy where same cart_id within 24h",
        (ev(0, "cart", cart_id="c1"), ev(3, "buy", cart_id="c2"), ev(4, "buy")),
        ("0 match@24 finished@24",),
    ),
]

WINDOWS = [
    Case(
        "4.3: exactly at the deadline is inside",
        "Trigger: cart\nCondition: NOT buy within 24h",
        (ev(0, "cart"), ev(24, "buy")),
        ("0 false@24",),
    ),
    Case(
        "4.3: at the very instant of the trigger is inside",
        "Trigger: cart\nCondition: NOT buy within 24h",
        (ev(0, "cart"), ev(0, "buy")),
        ("0 false@0",),
    ),
    Case(
        "4.3: the trigger itself is left out",
        "Trigger: view\nCondition: view within 24h\nTriggered again: ignore",
        (ev(0, "view"), ev(5, "view")),
        ("0 match@5 finished@5",),
    ),
    Case(
        "4.4: inside the look-back until just before s + D",
        "Trigger: view\nCondition: NOT login in the last 24h",
        (ev(0, "login"), ev(23, "view")),
        ("23 false@23",),
    ),
    Case(
        "4.4: gone from exactly s + D on",
        "Trigger: view\nCondition: NOT login in the last 24h",
        (ev(0, "login"), ev(24, "view")),
        ("24 match@24 finished@24",),
    ),
    Case(
        "4.4: a look-back includes the trigger: the third view counts as third",
        "Trigger: view\nCondition: view exactly 3 times in the last 24h\nTriggered again: each",
        (SEEN, ev(0, "view"), ev(1, "view"), ev(2, "view"), ev(3, "view")),
        ("0 false@0", "1 false@1", "2 match@2 finished@2", "3 false@3"),
    ),
    Case(
        "4.5: not claimed before the person was watched for so long, where the rule starts by itself",
        "Trigger: None\nCondition: NOT buy in the last 48h",
        (ev(0, "view"), ev(47, "view"), ev(48, "view")),
        ("48 match@48 finished@48",),
    ),
    Case(
        "4.5: nor where a schedule does",
        "Trigger: every day at 09:00\nCondition: NOT buy in the last 48h",
        (ev(0, "view"),),
        ("57 match@57 finished@57",),
        until=60,
    ),
    Case(
        "4.5: behind an event an unseen past counts as empty",
        "Trigger: view\nCondition: NOT buy in the last 48h\nTriggered again: each",
        (ev(0, "view"), ev(1, "buy"), ev(2, "view")),
        ("0 match@0 finished@0", "2 false@2"),
    ),
    Case(
        "4.5: the narrower absence holds where the wider does",
        "Trigger: view\nCondition: NOT buy AND NOT buy in the last 30 days AND buy at most 2 times in the last 7 days",
        (ev(0, "view"),),
        ("0 match@0 finished@0",),
    ),
    Case(
        "4.5: so it does in a branch, in Only while and in a later gate, also of a rule that starts by itself",
        """
        Trigger: None
        Condition: person.plan = free
        Only while: NOT buy within 7 days
        If: logged_in fewer than 3 times in the last 14 days
          Action: push
        End:
        Wait: 1h
        Condition: NOT (ask then reply within 1 day) in the last 3 days
        Action: mail
        """,
        (attr(0, plan="free"),),
        ("0 push@0 mail@1 finished@1",),
    ),
    Case(
        "4.5: a schedule's look ahead is asked as ever, its look back only once watched",
        "Trigger: on 2026-01-02 at 00:00\nCondition: NOT buy in the last 3 days AND NOT sell in the next 1 day",
        (ev(0, "view"),),
        ("24 false@48",),
    ),
    Case(
        "ruling 11: reached is certain even for somebody new",
        "Trigger: view\nCondition: view at least 2 times in the last 48h",
        (ev(0, "view"), ev(1, "view")),
        ("0 false@0", "1 match@1 finished@1"),
    ),
    Case(
        "ruling 11: NOT of a count that is not reached is unknown for somebody new",
        "Trigger: None\nCondition: NOT buy at least 2 times in the last 48h",
        (ev(0, "view"), ev(47, "view")),
        ("48 match@48 finished@48",),
    ),
    Case(
        "4.2: within looks forward in a later gate of a None rule",
        "Trigger: None\nCondition: NOT login within 24h\nWait: 1h\nCondition: NOT login within 2h\nExit: none",
        (ev(0, "login"), ev(27, "login")),
        ("24 false@27",),
        until=30,
    ),
    Case(
        "no window looks at everything up to now",
        "Trigger: view\nCondition: buy",
        (ev(0, "buy"), ev(500, "view")),
        ("500 match@500 finished@500",),
    ),
    Case(
        "since trigger leaves the trigger out",
        "Trigger: view\nWait: 5h\nCondition: view since trigger\nTriggered again: ignore",
        (ev(0, "view"), ev(10, "view"), ev(12, "view")),
        ("0 false@5", "10 match@15 finished@15"),
    ),
    Case(
        "since last event",
        "Trigger: view\nCondition: NOT buy since last cart",
        (ev(0, "buy"), ev(1, "cart"), ev(2, "view"), ev(3, "buy"), ev(4, "view")),
        ("2 match@2 finished@2", "4 false@4"),
    ),
    Case(
        "ruling 6: a month is clamped to the month's end, from the earlier moment",
        "Trigger: view\nCondition: login in the last month",
        (on("2026-01-31T12:00", "login"), on("2026-02-28T11:00", "view"), on("2026-02-28T12:00", "view")),
        (
            "2026-02-28T11:00 match@2026-02-28T11:00 finished@2026-02-28T11:00",
            "2026-02-28T12:00 false@2026-02-28T12:00",
        ),
        until=3000,
        iso=True,
    ),
    Case(
        "ruling 5: the event that decided a gate is left out of the next window",
        "Trigger: cart\nCondition: view within 24h\nAction: mail\nCondition: view within 24h\nAction: push",
        (ev(0, "cart"), ev(3, "view"), ev(9, "view")),
        ("0 mail@3 push@9 finished@9",),
    ),
    Case(
        "ruling 5: the event a wait ended at is left out",
        "Trigger: cart\nWait: until view for at most 24h\nCondition: NOT view within 5h\nAction: mail",
        (ev(0, "cart"), ev(3, "view")),
        ("0 mail@8 finished@8",),
    ),
    Case(
        "ruling 5: another trigger of the same instant is left out",
        "Trigger: cart\nCondition: NOT cart within 24h",
        (ev(0, "cart"), ev(0, "cart")),
        ("0 match@24 finished@24",),
    ),
    Case(
        "any event, but for some",
        "Trigger: view\nCondition: NOT any event except (ping) within 5h\nTriggered again: ignore",
        (ev(0, "view"), ev(1, "ping"), ev(10, "view"), ev(11, "login")),
        ("0 match@5 finished@5", "10 false@11"),
    ),
]

COUNTS = [
    Case(
        "since last EVENT, where the trigger is that event, is since the one before",
        "Trigger: logged_in\nCondition: login_failed at least 3 times since last logged_in",
        (
            *(ev(0, "logged_in"), ev(1, "login_failed"), ev(2, "login_failed"), ev(3, "logged_in")),
            *(
                ev(4, "login_failed"),
                ev(5, "login_failed"),
                ev(6, "login_failed"),
                ev(7, "logged_in"),
                ev(8, "logged_in"),
            ),
        ),
        ("0 false@0", "3 false@3", "7 match@7 finished@7", "8 false@8"),
    ),
    Case(
        "since last EVENT: one that came after the trigger is the last",
        "Trigger: logged_in\nWait: 5h\nIf: x since last logged_in\n  Action: mail\nEnd:\nTriggered again: ignore",
        (ev(0, "logged_in"), ev(1, "x"), ev(2, "logged_in"), ev(10, "logged_in"), ev(11, "x")),
        ("0 finished@5", "10 mail@15 finished@15"),
    ),
    Case(
        "since last EVENT: other triggers of the trigger's instant are left out with it",
        "Trigger: a OR b\nCondition: x since last b",
        (ev(0, "b"), ev(1, "x"), ev(2, "a"), ev(2, "b")),
        ("0 false@0", "2 match@2 finished@2"),
    ),
    Case(
        "last EVENT ... ago includes the trigger",
        "Trigger: logged_in\nCondition: last logged_in more than 1 day ago",
        (ev(0, "logged_in"), ev(100, "logged_in")),
        ("0 false@0", "100 false@100"),
    ),
    Case(
        "since trigger: what an action carries counts the trigger, a condition does not",
        """
        Trigger: comment
        Wait: 5h
        Condition: count of comment since trigger = 2
        Action: set person.comments = count of comment since trigger
        Condition: person.comments = 3 AND comment exactly 2 times since trigger
        Action: mail
        Triggered again: ignore
        """,
        (ev(0, "comment"), ev(1, "comment"), ev(2, "comment")),
        ("0 set(comments)@5 mail@5 finished@5",),
    ),
    Case(
        "sums are those of the decimals that were sent, averages too",
        """
        Trigger: go
        Condition: sum of x from pay = 0.3 AND average of x from pay = 0.15
        Action: mail
        """,
        (ev(0, "pay", x=0.1), ev(1, "pay", x=0.2), ev(2, "go")),
        ("2 mail@2 finished@2",),
    ),
    Case(
        "at least: true at the n-th",
        "Trigger: cart\nCondition: view at least 2 times within 24h",
        (ev(0, "cart"), ev(3, "view"), ev(5, "view")),
        ("0 match@5 finished@5",),
    ),
    Case(
        "at least: false once the window is past",
        "Trigger: cart\nCondition: view at least 2 times within 24h",
        (ev(0, "cart"), ev(3, "view")),
        ("0 false@24",),
    ),
    Case(
        "more than",
        "Trigger: cart\nCondition: view more than 1 times within 24h",
        (ev(0, "cart"), ev(3, "view"), ev(5, "view")),
        ("0 match@5 finished@5",),
    ),
    Case(
        "twice",
        "Trigger: cart\nCondition: view twice within 24h",
        (ev(0, "cart"), ev(3, "view"), ev(3, "view")),
        ("0 match@3 finished@3",),
    ),
    Case(
        "at most: false at the one too many",
        "Trigger: cart\nCondition: view at most 1 times within 24h",
        (ev(0, "cart"), ev(3, "view"), ev(5, "view")),
        ("0 false@5",),
    ),
    Case(
        "at most: true once the window is past",
        "Trigger: cart\nCondition: view at most 1 times within 24h",
        (ev(0, "cart"), ev(3, "view")),
        ("0 match@24 finished@24",),
    ),
    Case(
        "fewer than: false at the n-th",
        "Trigger: cart\nCondition: view fewer than 2 times within 24h",
        (ev(0, "cart"), ev(3, "view"), ev(5, "view")),
        ("0 false@5",),
    ),
    Case(
        "fewer than includes people with none",
        "Trigger: cart\nCondition: view fewer than 2 times within 24h",
        (ev(0, "cart"),),
        ("0 match@24 finished@24",),
    ),
    Case(
        "exactly: false at the one too many",
        "Trigger: cart\nCondition: view exactly 1 times within 24h",
        (ev(0, "cart"), ev(3, "view"), ev(5, "view")),
        ("0 false@5",),
    ),
    Case(
        "exactly: decided when the window is past",
        "Trigger: cart\nCondition: view exactly 1 times within 24h\nTriggered again: each",
        (ev(0, "cart"), ev(3, "view"), ev(10, "cart")),
        ("0 match@24 finished@24", "10 false@34"),
    ),
    Case(
        "a sum is true from the first moment it holds",
        "Trigger: cart\nCondition: sum of amount from buy within 24h >= 100",
        (ev(0, "cart"), ev(1, "buy", amount=60), ev(2, "buy", amount="60"), ev(5, "buy", amount=40)),
        ("0 match@5 finished@5",),
    ),
    Case(
        "a sum not reached is false at the window's end",
        "Trigger: cart\nCondition: sum of amount from buy within 24h >= 100",
        (ev(0, "cart"), ev(1, "buy", amount=60)),
        ("0 false@24",),
    ),
    Case(
        "a sum below a value is read at the window's end",
        "Trigger: cart\nCondition: sum of amount from buy within 24h < 100",
        (ev(0, "cart"), ev(1, "buy", amount=160), ev(2, "buy", amount=-100)),
        ("0 match@24 finished@24",),
    ),
    Case(
        "an average is read at the window's end, of nothing it is missing",
        "Trigger: cart\nCondition: average of amount from buy within 24h >= 10\nTriggered again: each",
        (ev(0, "cart"), ev(1, "buy", amount=30), ev(2, "buy", amount=2), ev(100, "cart")),
        ("0 match@24 finished@24", "100 false@124"),
    ),
    Case(
        "a minimum is true as soon as it falls below",
        "Trigger: cart\nCondition: min of amount from buy within 24h < 5",
        (ev(0, "cart"), ev(1, "buy", amount=30), ev(2, "buy", amount=2)),
        ("0 match@2 finished@2",),
    ),
    Case(
        "count of different values, a list giving each of its own",
        "Trigger: cart\nCondition: count of different product_id from view within 24h >= 3",
        (
            ev(0, "cart"),
            ev(1, "view", product_id="x"),
            ev(2, "view", product_id="x"),
            ev(3, "view", product_id=["y", "z"]),
        ),
        ("0 match@3 finished@3",),
    ),
    Case(
        "a total that looks back is read when asked",
        "Trigger: cart\nCondition: sum of amount from buy in the last 24h < 100",
        (SEEN, ev(0, "buy", amount=150), ev(23, "cart"), ev(24, "cart")),
        ("23 false@23", "24 match@24 finished@24"),
    ),
    Case(
        "a total that looks back needs watched time unless reached, where the rule starts by itself",
        "Trigger: None\nCondition: count of buy in the last 24h < 5",
        (ev(0, "cart"),),
        ("24 match@24 finished@24",),
    ),
    Case(
        "a total that looks back counts an unseen past as empty behind an event",
        "Trigger: cart\nCondition: count of buy in the last 24h < 5",
        (ev(0, "cart"),),
        ("0 match@0 finished@0",),
    ),
]

CHAINS = [
    Case(
        "a chain since the trigger leaves out what came before it, and runs to now",
        """
        Trigger: a
        Wait: 1 day
        If: (x then y) since trigger
          Action: mail
        End:
        If: (x then NOT z) since trigger
          Action: push
        End:
        """,
        (ev(-5, "x"), ev(0, "a"), ev(1, "x"), ev(2, "y"), ev(30, "a"), ev(31, "y"), ev(32, "x"), ev(33, "z")),
        ("0 mail@24 push@24 finished@24", "30 finished@54"),
    ),
    Case(
        "a chain since the last event of a name",
        "Trigger: None\nCondition: (x then y) since last b",
        (SEEN, ev(0, "x"), ev(1, "y"), ev(2, "b"), ev(3, "y"), ev(4, "x"), ev(5, "y")),
        ("1 match@1 finished@1", "5 match@5 finished@5"),
    ),
    Case(
        "the window of the second starts at the first",
        "Trigger: login\nCondition: view within 24h then cart within 2h",
        (ev(0, "login"), ev(5, "view"), ev(7, "cart")),
        ("0 match@7 finished@7",),
    ),
    Case(
        "some choice of occurrences completes it",
        "Trigger: login\nCondition: view within 24h then cart within 2h",
        (ev(0, "login"), ev(1, "view"), ev(5, "view"), ev(6, "cart")),
        ("0 match@6 finished@6",),
    ),
    Case(
        "false once no first item can come any more",
        "Trigger: login\nCondition: view within 24h then cart within 2h",
        (ev(0, "login"), ev(1, "view"), ev(6, "cart")),
        ("0 false@24",),
    ),
    Case(
        "false once the last second item can come no more",
        "Trigger: login\nCondition: view within 24h then cart within 2h",
        (ev(0, "login"), ev(24, "view")),
        ("0 false@26",),
    ),
    Case(
        "both at one instant",
        "Trigger: login\nCondition: view within 24h then cart within 2h",
        (ev(0, "login"), ev(3, "cart"), ev(3, "view")),
        ("0 match@3 finished@3",),
    ),
    Case(
        "each event serves once",
        "Trigger: login\nCondition: view within 24h then view within 24h",
        (ev(0, "login"), ev(3, "view")),
        ("0 false@27",),
    ),
    Case(
        "two of one instant serve twice",
        "Trigger: login\nCondition: view within 24h then view within 24h",
        (ev(0, "login"), ev(3, "view"), ev(3, "view")),
        ("0 match@3 finished@3",),
    ),
    Case(
        "a NOT item is complete at its window's end",
        "Trigger: login\nCondition: cart within 24h then NOT buy within 2h",
        (ev(0, "login"), ev(5, "cart")),
        ("0 match@7 finished@7",),
    ),
    Case(
        "a NOT item at its edge",
        "Trigger: login\nCondition: cart within 24h then NOT buy within 2h",
        (ev(0, "login"), ev(5, "cart"), ev(7, "buy")),
        ("0 false@24",),
    ),
    Case(
        "after a NOT item the next window starts at its end",
        "Trigger: login\nCondition: cart within 24h then NOT buy within 2h then view within 3h",
        (ev(0, "login"), ev(5, "cart"), ev(6, "view"), ev(10, "view")),
        ("0 match@10 finished@10",),
    ),
    Case(
        "a window after brackets is given to all and caps all",
        "Trigger: login\nCondition: (view then cart) within 5h\nTriggered again: each",
        (ev(0, "login"), ev(1, "view"), ev(5, "cart"), ev(100, "login"), ev(101, "view"), ev(106, "cart")),
        ("0 match@5 finished@5", "100 false@105"),
    ),
    Case(
        "brackets cap a window of its own",
        "Trigger: login\nCondition: (view then cart within 4h) within 5h",
        (ev(0, "login"), ev(3, "view"), ev(6, "cart")),
        ("0 false@5",),
    ),
    Case(
        "a negated chain",
        "Trigger: login\nCondition: NOT (view then cart) within 5h\nTriggered again: each",
        (ev(0, "login"), ev(1, "view"), ev(2, "cart"), ev(100, "login")),
        ("0 false@2", "100 match@105 finished@105"),
    ),
    Case(
        "a chain that looks back",
        "Trigger: None\nCondition: cart within 24h then NOT buy within 2h\nLimit: once per person",
        (ev(0, "seen"), ev(5, "cart")),
        ("7 match@7 finished@7",),
        until=100,
    ),
    Case(
        "a race won",
        "Trigger: cart\nCondition: buy before any refund within 24h",
        (ev(0, "cart"), ev(3, "buy"), ev(4, "refund")),
        ("0 match@3 finished@3",),
    ),
    Case(
        "a race lost",
        "Trigger: cart\nCondition: buy before any (refund OR cancel) within 24h",
        (ev(0, "cart"), ev(3, "cancel"), ev(4, "buy")),
        ("0 false@3",),
    ),
    Case(
        "a race at one instant goes to the rival",
        "Trigger: cart\nCondition: buy before any refund within 24h",
        (ev(0, "cart"), ev(3, "buy"), ev(3, "refund")),
        ("0 false@3",),
    ),
    Case(
        "a race nobody runs",
        "Trigger: cart\nCondition: buy before any refund within 24h",
        (ev(0, "cart"),),
        ("0 false@24",),
    ),
]

GATES = [
    Case(
        "a fact is read on entry and at the deadline",
        "Trigger: cart\nCondition: NOT buy within 24h AND plan = free",
        (attr(0, plan="free"), ev(0, "cart"), attr(10, plan="pro"), attr(20, plan="free")),
        ("0 match@24 finished@24",),
    ),
    Case(
        "a fact false on entry ends it there",
        "Trigger: cart\nCondition: NOT buy within 24h AND plan = free",
        (ev(0, "cart"), attr(10, plan="free")),
        ("0 false@0",),
    ),
    Case(
        "a fact false at the deadline ends it there",
        "Trigger: cart\nCondition: NOT buy within 24h AND plan = free",
        (attr(0, plan="free"), ev(0, "cart"), attr(10, plan="pro")),
        ("0 false@24",),
    ),
    Case(
        "ruling 3: an attribute change wakes no gate",
        "Trigger: cart\nCondition: NOT buy within 24h OR plan = free\nExit: none",
        (ev(0, "cart"), attr(10, plan="free")),
        ("0 match@24 finished@24",),
    ),
    Case(
        "OR with a fact that holds is decided on entry",
        "Trigger: cart\nCondition: NOT buy within 24h OR plan = free",
        (attr(0, plan="free"), ev(0, "cart")),
        ("0 match@0 finished@0",),
    ),
    Case(
        "ruling 3: a forward item becoming false asks the gate again",
        "Trigger: cart\nCondition: buy within 24h OR plan = free\nTriggered again: each",
        (ev(0, "cart"), attr(10, plan="free"), ev(20, "other"), attr(30, plan="free")),
        ("0 match@24 finished@24",),
    ),
    Case(
        "consecutive Conditions are one gate",
        "Trigger: cart\nCondition: NOT buy within 24h\nCondition: NOT view within 5h",
        (ev(0, "cart"), ev(10, "view")),
        ("0 match@24 finished@24",),
    ),
    Case(
        "after a step between them the second has its own window",
        "Trigger: cart\nCondition: NOT buy within 24h\nAction: mail\nCondition: NOT view within 5h\nAction: push",
        (ev(0, "cart"), ev(10, "view"), ev(29, "view")),
        ("0 mail@24 false@29",),
    ),
    Case(
        "attribute changes of an instant apply before its events",
        "Trigger: cart\nCondition: plan = free",
        (ev(0, "cart"), attr(0, plan="free")),
        ("0 match@0 finished@0",),
    ),
    Case(
        "ruling 4: the cart is ignored, the journey cancelled",
        "Trigger: cart\nCondition: NOT buy within 24h\nTriggered again: ignore",
        (ev(0, "cart"), ev(5, "cart"), ev(5, "buy")),
        ("0 false@5",),
    ),
    Case(
        "ruling 4: a restart and a purchase at one instant",
        "Trigger: cart\nCondition: NOT buy within 24h",
        (ev(0, "cart"), ev(5, "cart"), ev(5, "buy")),
        ("0>5 false@5",),
    ),
    Case(
        "ruling 4: an exit comes before a trigger of its instant, and ends what starts there",
        "Trigger: cart\nWait: 24h\nAction: mail\nExit: buy",
        (ev(0, "cart"), ev(5, "cart"), ev(5, "buy")),
        ("0 exit@5", "5 exit@5"),
    ),
    Case(
        "ruling 4: an event that is exit and trigger ends the old journey and starts one",
        "Trigger: cart OR buy\nWait: 24h\nAction: mail\nExit: buy",
        (ev(0, "cart"), ev(5, "buy")),
        ("0 exit@5", "5 mail@29 finished@29"),
    ),
    Case(
        "ruling 4: an ignored trigger that decides the gate false starts the next",
        "Trigger: cart\nCondition: NOT cart within 24h\nTriggered again: ignore",
        (ev(0, "cart"), ev(5, "cart")),
        ("0 false@5", "5 match@29 finished@29"),
    ),
    Case(
        "ruling 4: events before deadlines of the instant",
        "Trigger: cart\nWait: 24h\nAction: mail\nExit: buy",
        (ev(0, "cart"), ev(24, "buy")),
        ("0 exit@24",),
    ),
    Case(
        "a last event long ago; never is false",
        "Trigger: view\nCondition: last buy more than 24h ago\nTriggered again: each",
        (ev(0, "view"), ev(1, "buy"), ev(24, "view"), ev(25, "view")),
        ("0 false@0", "24 false@24", "25 match@25 finished@25"),
    ),
]

FACT_ROWS: list[tuple[str, dict[str, Any], bool]] = [
    ("x = 5", {"x": 5}, True),
    ("x = 5", {"x": 5.0}, True),
    ("x = 5", {"x": "5"}, False),
    ("x = '5'", {"x": 5}, False),
    ("x = Free", {"x": "free"}, False),
    ("x != 5", {}, True),
    ("x != 5", {"x": "5"}, True),
    ("x is not 5", {"x": 5}, False),
    ("x not in (1, 2)", {}, True),
    ("x in (1, 2)", {}, False),
    ("x in (1, 2)", {"x": 2}, True),
    ("x is set", {"x": 0}, True),
    ("x is not set", {}, True),
    ("x > 3", {"x": "5"}, False),
    ("x > 3", {}, False),
    ("x < 2026-01-02", {"x": "2026-01-01"}, True),
    ("x >= 2026-01-02", {"x": "2026-01-02T00:00:00Z"}, True),
    ("x between 1 and 5", {"x": 5}, True),
    ("x between 1 and 5", {"x": 1}, True),
    ("x between 1 and 5", {"x": 6}, False),
    ("x = true", {"x": True}, True),
    ("x = true", {"x": "true"}, True),
    ("x = 'true'", {"x": True}, False),
    ("x = 1", {"x": True}, False),
    ("x contains ell", {"x": "hello"}, True),
    ("x contains b", {"x": ["a", "b"]}, True),
    ("x starts with he", {"x": "hello"}, True),
    ("x ends with he", {"x": "hello"}, False),
    ("x = b", {"x": ["a", "b"]}, True),
    ("x != b", {"x": ["a", "b"]}, False),
    ("x > 3", {"x": [1, 4]}, True),
    ("items.sku = s2", {"items": [{"sku": "s1"}, {"sku": "s2"}]}, True),
    ("x = 007", {"x": "007"}, True),
    ("x = 007", {"x": 7}, False),
    ("plan = free", {}, True),  # a bare name is the attribute
    ("plan = free", {"plan": "pro"}, False),  # unless the trigger carries it
    ("person.plan = free", {"plan": "pro"}, True),
    ("trigger.plan = free", {}, False),
    ("person.age > trigger.x", {"x": 29}, True),
    ("person.age = trigger.x", {"x": "30"}, True),  # a whole number equals its own digits there
    ("person.since in the last 3 days", {}, True),
    ("person.since in the last 48h", {}, False),  # the edge: it left at exactly s + D
    ("person.since more than 48h ago", {}, True),
    ("trigger.x in the next 3 days", {"x": "2026-01-04"}, True),
    ("trigger.x in the next 3 days", {"x": "2026-01-04T00:00:01Z"}, False),
    ("trigger.x in the next 3 days", {"x": "soon"}, False),
    ("NOT x = 5", {}, True),
    ("x = 5 OR plan = free AND x = 6", {"x": 5}, True),
]

FACTS = [
    Case(
        f"fact: {condition} of {properties}",
        f"Trigger: view\nCondition: {condition}",
        (attr(-1, plan="free", age=30, limit=5, since="2025-12-30"), ev(0, "view", **properties)),
        ("0 match@0 finished@0",) if held else ("0 false@0",),
    )
    for condition, properties, held in FACT_ROWS
]

STEPS = [
    Case(
        "a date as senders write it: unix seconds and milliseconds, blanks, an offset of hours alone",
        "Trigger: cart\nTriggered again: each\nWait: until trigger.d\nAction: mail",
        (
            *(ev(0, "cart", d=1_767_261_600), ev(1, "cart", d=1_767_265_200_000), ev(2, "cart", d=1_767_268_800.0)),
            *(ev(3, "cart", d=" 2026-01-01 15:00:00+02 "), ev(4, "cart", d=["soon", "2026-01-01T14:00Z"])),
        ),
        (
            "0 mail@10 finished@10",
            "1 mail@11 finished@11",
            "2 mail@12 finished@12",
            "3 mail@13 finished@13",
            "4 mail@14 finished@14",
        ),
    ),
    Case(
        "what is no date: digits as text, numbers of other years, parts of a second",
        "Trigger: cart\nTriggered again: each\nWait: until trigger.d\nAction: mail",
        tuple(
            ev(number, "cart", d=value)
            for number, value in enumerate(
                ("1767261600", 946_684_799, 4_102_444_801, 1_767_261_600.5, 20_260_102, True)
            )
        ),
        tuple(f"{number} no_date@{number}" for number in range(6)),
    ),
    Case(
        "the ends of what is unix time",
        "Trigger: None\nCondition: person.d more than 1 day ago OR person.e in the next 10000 days",
        (attr(0, e=4_102_444_801_000), attr(1, d=946_684_799_999), attr(2, d=946_684_800)),
        ("2 match@2 finished@2",),
    ),
    Case(
        "a zone of a person in any case and with blanks",
        "Trigger: cart\nWait: until 09:00 in person.timezone\nAction: mail",
        (attr(0, timezone=" europe/WARSAW\n"), ev(1, "cart")),
        ("1 mail@8 finished@8",),
    ),
    Case(
        "a daily course: a time of day that was just waited for is not waited for at once again",
        "Trigger: cart\n" + "Wait: until 08:00\nAction: mail\n" * 3,
        (ev(10, "cart"),),
        ("10 mail@32 mail@56 mail@80 finished@80",),
    ),
    Case(
        "a daily course that begins at its very time begins at once",
        "Trigger: cart\n" + "Wait: until 08:00\nAction: mail\n" * 2,
        (ev(8, "cart"),),
        ("8 mail@8 mail@32 finished@32",),
    ),
    Case(
        "three waits for one time of day are three days",
        "Trigger: cart\n" + "Wait: until 08:00\n" * 3 + "Action: mail",
        (ev(10, "cart"),),
        ("10 mail@80 finished@80",),
    ),
    Case(
        "gates and branches between an action and a time of day do not matter",
        """
        Rule: r
        Trigger: cart
        Action: mail
        Condition: person.plan = free
        If: person.plan = free
          Split: 50% "a"
            Wait: until 08:00
            Action: push
          Split: 50% "b"
          End:
        End:
        Wait: until 08:00
        Action: mail
        """,
        (attr(0, plan="free"), ev(8, "cart")),
        ("8 mail@8 push@32 mail@56 finished@56",),
        draws={("r", "split", 1): 0.1},
    ),
    Case(
        "a gate that waited is no wait: its time of day is still free",
        "Trigger: cart\nCondition: NOT buy within 1 day\nWait: until 08:00\nAction: mail",
        (ev(8, "cart"),),
        ("8 mail@32 finished@32",),
    ),
    Case(
        "set and track are actions, and so are those that nobody is there to receive",
        """
        Trigger: cart
        Action: set person.course = yes
        Wait: until 08:00
        Action: mail to person.nothing
        Wait: until 08:00
        Action: track lesson
        Wait: until 08:00
        Action: push
        """,
        (ev(8, "cart"),),
        ("8 set(course)@8 track(lesson)@56 push@80 -mail@32=no_recipient finished@80",),
    ),
    Case(
        "the next monday, and the next time of another zone",
        "Trigger: cart\nWait: until monday 09:00\nAction: mail\nWait: until monday 09:00\nAction: mail\n"
        "Wait: until 09:00 in Europe/Warsaw\nAction: push\nWait: until 08:00\nAction: push\nZone: UTC",
        (ev(0, "cart"),),
        ("0 mail@105 mail@273 push@296 push@320 finished@320",),
    ),
    Case(
        "a date that is waited for is a date, also at the time it was just",
        "Trigger: cart\nAction: mail\nWait: until person.renews\nAction: push\nWait: until person.renews\nAction: push",
        (attr(0, renews="2026-01-02T08:00:00Z"), ev(8, "cart")),
        ("8 mail@8 push@32 push@32 finished@32",),
    ),
    Case(
        "quiet hours that end at the time of day use it up",
        "Trigger: cart\nAction: mail\nWait: until 09:00\nAction: push\nQuiet hours: 21:00 to 09:00",
        (ev(1, "cart"),),
        ("1 mail@9 push@33 finished@33",),
    ),
    Case(
        "branches and the names of their steps",
        """
        Trigger: cart
        Wait: 1h
        If: plan = free
        Wait: 2h
        Action: mail "free"
        Else if: plan = pro
        Action: mail "pro"
        Else:
        Action: mail "other"
        End:
        Action: push
        Triggered again: each
        """,
        (
            attr(0, plan="free"),
            ev(0, "cart"),
            attr(50, plan="pro"),
            ev(100, "cart"),
            attr(150, plan="none"),
            ev(200, "cart"),
        ),
        (
            "0 mail(free):2.1.2@3 push:3@3 finished@3",
            "100 mail(pro):2.2.1@101 push:3@101 finished@101",
            "200 mail(other):2.else.1@201 push:3@201 finished@201",
        ),
        steps=True,
    ),
    Case(
        "If with a forward item waits like a gate",
        """
        Trigger: cart
        If: buy within 24h
        Action: thanks
        Else if: view within 5h
        Action: mail
        Else:
        Action: push
        End:
        Triggered again: each
        """,
        (ev(0, "cart"), ev(3, "buy"), ev(100, "cart"), ev(101, "view"), ev(126, "view"), ev(200, "cart")),
        ("0 thanks@3 finished@3", "100 mail@126 finished@126", "200 push@229 finished@229"),
    ),
    Case(
        "a gate inside a branch ends the whole journey",
        "Trigger: cart\nIf: plan = free\nCondition: NOT buy within 5h\nEnd:\nAction: mail",
        (attr(0, plan="free"), ev(0, "cart"), ev(3, "buy")),
        ("0 false@3",),
    ),
    Case(
        "without Else a false branch goes on after End",
        "Trigger: cart\nIf: plan = free\nAction: mail\nEnd:\nAction: push",
        (ev(0, "cart"),),
        ("0 push:2@0 finished@0",),
        steps=True,
    ),
    Case(
        "a rule whose Actions stand in branches not taken does nothing",
        "Trigger: cart\nIf: plan = free\nAction: mail\nEnd:",
        (ev(0, "cart"),),
        ("0 finished@0",),
    ),
    Case(
        "arms of a split",
        'Rule: r\nTrigger: cart\nSplit: 34% "short"\nAction: mail\nSplit: 66% "long"\nWait: 1h\nAction: push\nEnd:',
        (ev(0, "cart"),),
        ("0 push:1.2.2@1 finished@1",),
        steps=True,
        draws={("r", "split", 1): 0.34},
    ),
    Case(
        "the n-th sample of a rule, and a named one",
        'Rule: r\nTrigger: cart\nCondition: in 10% sample AND in 20% sample "some"',
        (ev(0, "cart"),),
        ("0 match@0 finished@0",),
        draws={("r", "sample", 1): 0.09, (None, "some", 0): 0.19},
    ),
    Case(
        "a holdout decides as usual and counts as acted",
        "Rule: r\nTrigger: cart\nAction: mail\nLimit: once per person\nHoldout: 10%",
        (ev(0, "cart"), ev(5, "cart")),
        ("0 held mail@0 finished@0", "5 held limited@5"),
        draws={("r", "holdout", 0): 0.05},
    ),
    Case(
        "a wait of two days", "Trigger: cart\nWait: 2 days\nAction: mail", (ev(0, "cart"),), ("0 mail@48 finished@48",)
    ),
    Case(
        "until a time of day: the next one, or now",
        "Trigger: cart\nWait: until 09:00\nAction: mail\nTriggered again: each",
        (ev(0, "cart"), ev(9, "cart"), ev(9.5, "cart")),
        ("0 mail@9 finished@9", "9 mail@9 finished@9", "9.5 mail@33 finished@33"),
    ),
    Case(
        "until a weekday: hour 0 is a Thursday",
        "Trigger: cart\nWait: until monday 09:00\nAction: mail",
        (ev(0, "cart"),),
        ("0 mail@105 finished@105",),
    ),
    Case(
        "until an event, or the end",
        "Trigger: cart\nWait: until view where same k for at most 3 days\nAction: mail\nTriggered again: each",
        (ev(0, "cart", k=1), ev(5, "view", k=2), ev(6, "view", k=1), ev(100, "cart", k=3)),
        ("0 mail@6 finished@6", "100 mail@172 finished@172"),
    ),
    Case(
        "until a date in a property",
        "Trigger: cart\nWait: until trigger.due\nAction: mail",
        (ev(0, "cart", due="2026-01-03"),),
        ("0 mail@48 finished@48",),
    ),
    Case(
        "until days before a date, at a time",
        "Trigger: cart\nWait: until 3 days before person.renews at 09:00\nAction: mail",
        (attr(0, renews="2026-01-10"), ev(0, "cart")),
        ("0 mail@153 finished@153",),
    ),
    Case(
        "until hours after a date with a time",
        "Trigger: cart\nWait: until 2 hours after person.renews\nAction: mail",
        (attr(0, renews="2026-01-02T10:00:00+02:00"), ev(0, "cart")),
        ("0 mail@34 finished@34",),
    ),
    Case(
        "a date of the person is read again when it changes",
        "Trigger: cart\nWait: until 1 day before person.renews\nAction: mail",
        (attr(0, renews="2026-01-10"), ev(0, "cart"), attr(20, renews="2026-01-05")),
        ("0 mail@72 finished@72",),
    ),
    Case(
        "no date ends the journey",
        "Trigger: cart\nWait: until person.renews\nAction: mail",
        (ev(0, "cart"), attr(1, renews="soon"), ev(2, "cart")),
        ("0 no_date@0", "2 no_date@2"),
    ),
    Case(
        "a date already past skips the steps up to the next Wait",
        "Trigger: cart\nWait: until person.renews\nAction: mail\nAction: push\nWait: 1h\nAction: text",
        (attr(0, renews="2025-12-01"), ev(0, "cart")),
        ("0 text@1 -mail@0=past_date -push@0=past_date finished@1",),
    ),
    Case(
        "or now runs them",
        "Trigger: cart\nWait: until person.renews or now\nAction: mail\nWait: 1h\nAction: text",
        (attr(0, renews="2025-12-01"), ev(0, "cart")),
        ("0 mail@0 text@1 finished@1",),
    ),
    Case(
        "after a before, nothing leaves later than the date",
        """
        Trigger: cart
        Wait: until 2 hours before person.renews
        Action: mail
        Quiet hours: 21:00 to 09:00
        """,
        (attr(0, renews="2026-01-02T00:00:00Z"), ev(0, "cart")),
        ("0 -mail@33=past_date finished@33",),
    ),
    Case(
        "set and track are effects on Lapse itself",
        """
        Trigger: cart
        Action: set person.seen = yes
        Action: track nudged with a = 1
        Condition: person.seen = yes
        Action: mail
        """,
        (ev(0, "cart"),),
        ("0 set(seen)@0 track(nudged)@0 mail@0 finished@0",),
    ),
    Case(
        "an action that left is an event too",
        'Rule: r\nTrigger: cart\nCondition: NOT mail where template = "one" within 2h\nAction: mail "one"\nExit: none',
        (ev(0, "cart"), ev(10, "cart")),
        ("0 mail(one)@2 finished@2", "10 mail(one)@12 finished@12"),
    ),
    Case(
        "no action of the rule sends it on for ever",
        "Trigger: cart OR mail\nAction: mail",
        (ev(0, "cart"),),
        ("0 mail@0 finished@0",),
    ),
    Case(
        "a recipient that is missing",
        "Trigger: cart\nAction: mail to person.email\nAction: push",
        (ev(0, "cart"), attr(5, email="p@example.org"), ev(10, "cart")),
        ("0 push@0 -mail@0=no_recipient finished@0", "10 mail@10 push@10 finished@10"),
    ),
    Case(
        "what was skipped is told, also where another trigger moves the start",
        "Trigger: cart\nCondition: NOT buy within 1h\nAction: mail to person.email\nWait: 5h\nAction: push",
        (ev(0, "cart"), ev(3, "cart")),
        ("0>3 push@9 -mail@1=no_recipient -mail@4=no_recipient finished@9",),
    ),
]

CLAUSES = [
    Case(
        "last ... ago as opening has the exit that its NOT has",
        "Trigger: None\nCondition: last buy where x > 1 more than 30h ago\nAction: mail\nWait: 10h\nAction: push",
        (ev(0, "buy", x=2), ev(35, "buy", x=1), ev(100, "buy", x=2), ev(131, "buy", x=2)),
        ("30 mail@30 push@40 finished@40", "130 mail@130 exit@131", "161 mail@161 push@171 finished@171"),
    ),
    Case(
        "behind an event too, and beside others, but not under a NOT",
        """
        Trigger: login
        Condition: last buy more than 1 day ago AND NOT last sell more than 1 day ago
        Wait: 10h
        Action: mail
        """,
        (SEEN, ev(-100, "buy"), ev(0, "login"), ev(1, "sell"), ev(20, "login"), ev(21, "buy")),
        ("0 mail@10 finished@10", "20 exit@21"),
    ),
    Case(
        "an exit of one's own takes the place of the one that last ... ago implies",
        "Trigger: login\nCondition: last buy more than 1 day ago\nWait: 10h\nAction: mail\nExit: deleted",
        (SEEN, ev(-100, "buy"), ev(0, "login"), ev(1, "buy"), ev(100, "login"), ev(101, "deleted")),
        ("0 mail@10 finished@10", "100 exit@101"),
    ),
    Case(
        "Only while is asked at the trigger",
        "Trigger: cart\nOnly while: plan = free\nAction: mail",
        (ev(0, "cart"), attr(1, plan="free"), ev(2, "cart")),
        ("0 only_while@0", "2 mail@2 finished@2"),
    ),
    Case(
        "Only while: within looks back",
        "Trigger: cart\nOnly while: NOT bounced within 7 days\nWait: 1 day\nAction: mail\nWait: 6 days\nAction: push",
        (SEEN, ev(0, "bounced"), ev(167, "cart"), ev(168, "cart"), ev(300, "bounced")),
        ("167 only_while@167", "168 mail@192 only_while@336"),
    ),
    Case(
        "Only while: a chain and brackets look back too",
        "Trigger: cart\nOnly while: (opened then clicked) within 2 days\nAction: mail",
        (SEEN, ev(0, "opened"), ev(1, "clicked"), ev(2, "cart"), ev(48, "cart")),
        ("2 mail@2 finished@2", "48 only_while@48"),
    ),
    Case(
        "Only while is asked when an action is about to leave, not in between",
        "Trigger: cart\nOnly while: plan = free\nWait: 5h\nAction: mail\nWait: 5h\nAction: push",
        (attr(0, plan="free"), ev(0, "cart"), attr(2, plan="pro"), attr(4, plan="free"), attr(7, plan="pro")),
        ("0 mail@5 only_while@10",),
    ),
    Case(
        "an exit ends a waiting journey",
        "Trigger: cart\nWait: 5h\nAction: mail\nExit: buy where same k OR leave",
        (ev(0, "cart", k=1), ev(2, "buy", k=2), ev(3, "buy", k=1)),
        ("0 exit@3",),
    ),
    Case(
        "the default exit is what stands under NOT, with its where",
        "Trigger: cart\nCondition: NOT buy where same k within 5h\nAction: mail\nWait: 10h\nAction: push",
        (ev(0, "cart", k=1), ev(6, "buy", k=2), ev(7, "buy", k=1)),
        ("0 mail@5 exit@7",),
    ),
    Case(
        "Exit: none",
        "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail\nWait: 10h\nAction: push\nExit: none",
        (ev(0, "cart"), ev(7, "buy")),
        ("0 mail@5 push@15 finished@15",),
    ),
    Case(
        "the default exit of a None rule",
        "Trigger: None\nCondition: NOT login within 24h\nWait: 5h\nAction: mail",
        (ev(0, "login"), ev(26, "login")),
        ("24 exit@26",),
        until=49,
    ),
    Case(
        "while the opening gate is open its own window decides, not the default exit",
        "Trigger: cart\nCondition: NOT view within 2h AND NOT buy within 24h\nAction: mail",
        (ev(0, "cart"), ev(5, "view")),
        ("0 mail@24 finished@24",),
    ),
    Case(
        "an exit at the trigger's own instant",
        "Trigger: cart\nWait: 5h\nAction: mail\nExit: buy",
        (ev(0, "cart"), ev(0, "buy")),
        ("0 exit@0",),
    ),
    Case(
        "Limit: once per person",
        "Trigger: cart\nAction: mail\nLimit: once per person",
        (ev(0, "cart"), ev(900, "cart")),
        ("0 mail@0 finished@0", "900 limited@900"),
    ),
    Case(
        "Limit: exactly D ago no longer counts",
        "Trigger: cart\nAction: mail\nLimit: 2 per person per 24h",
        (ev(0, "cart"), ev(1, "cart"), ev(23, "cart"), ev(24, "cart"), ev(24.5, "cart")),
        (
            "0 mail@0 finished@0",
            "1 mail@1 finished@1",
            "23 limited@23",
            "24 mail@24 finished@24",
            "24.5 limited@24.5",
        ),
    ),
    Case(
        "Limit: once per value, a trigger without it starts nothing",
        "Trigger: cart\nAction: mail\nLimit: once per k",
        (ev(0, "cart", k=1), ev(1, "cart", k=2), ev(2, "cart", k=1), ev(3, "cart")),
        ("0 mail@0 finished@0", "1 mail@1 finished@1", "2 limited@2", "3 missing_field@3"),
    ),
    Case(
        "Limit: only journeys that acted count",
        "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail\nLimit: once per person per 100h",
        (ev(0, "cart"), ev(1, "buy"), ev(10, "cart"), ev(20, "cart")),
        ("0 false@1", "10 mail@15 finished@15", "20 limited@25"),
    ),
    Case(
        "Limit over all people: by moment, person id, trigger",
        "Trigger: cart\nAction: mail\nLimit: 2 per day over all people",
        {"b": (ev(1, "cart"), ev(25, "cart")), "a": (ev(1, "cart"),), "c": (ev(0, "cart"), ev(24, "cart"))},
        {
            "a": ("1 mail@1 finished@1",),
            "b": ("1 limited@1", "25 mail@25 finished@25"),
            "c": ("0 mail@0 finished@0", "24 mail@24 finished@24"),
        },
    ),
    Case(
        "restart: the latest trigger counts until the first action",
        "Trigger: cart\nWait: 5h\nAction: mail\nWait: 5h\nAction: push",
        (ev(0, "cart"), ev(3, "cart"), ev(8, "cart"), ev(9, "cart"), ev(15, "cart")),
        ("0>9 mail@14 push@19 finished@19",),
    ),
    Case(
        "restart for at most: it keeps the start once it has moved that far",
        "Trigger: cart\nWait: 5h\nAction: mail\nTriggered again: restart for at most 6h",
        (ev(0, "cart"), ev(4, "cart"), ev(6, "cart"), ev(7, "cart")),
        ("0>6 mail@11 finished@11",),
    ),
    Case(
        "restart: the new trigger's fields count",
        "Trigger: cart\nCondition: NOT buy where same k within 5h\nAction: mail",
        (ev(0, "cart", k=1), ev(3, "cart", k=2), ev(4, "buy", k=1)),
        ("0>3 mail@8 finished@8",),
    ),
    Case(
        "ignore: the earliest trigger wins until it ends",
        "Trigger: cart\nWait: 5h\nAction: mail\nTriggered again: ignore",
        (ev(0, "cart"), ev(3, "cart"), ev(5, "cart"), ev(6, "cart")),
        ("0 mail@5 finished@5", "6 mail@11 finished@11"),
    ),
    Case(
        "each: every trigger has its own journey, two of one instant too",
        "Trigger: cart\nWait: 5h\nAction: mail\nTriggered again: each",
        (ev(0, "cart"), ev(3, "cart"), ev(3, "cart")),
        ("0 mail@5 finished@5", "3 mail@8 finished@8", "3 mail@8 finished@8"),
    ),
    Case(
        "replace: a later trigger ends the one under way",
        "Trigger: cart\nAction: mail\nWait: 5h\nAction: push\nTriggered again: replace",
        (ev(0, "cart"), ev(3, "cart"), ev(3, "cart")),
        ("0 mail@0 replaced@3", "3 mail@3 push@8 finished@8"),
    ),
    Case(
        "two triggers of one instant make one journey",
        "Trigger: cart OR view\nWait: 5h\nAction: mail\nTriggered again: ignore",
        (ev(0, "view"), ev(0, "cart")),
        ("0 mail@5 finished@5",),
    ),
    Case(
        "For each: a journey per value",
        "Trigger: cart\nFor each: k\nWait: 5h\nAction: mail",
        (ev(0, "cart", k="x"), ev(1, "cart", k="y"), ev(2, "cart", k="x"), ev(3, "cart")),
        ("0>2/x mail@7 finished@7", "1/y mail@6 finished@6", "3/none mail@8 finished@8"),
    ),
    Case(
        "ruling 30: a trigger without a field the rule compares with",
        "Trigger: cart\nCondition: NOT buy where same k within 5h",
        (ev(0, "cart"), ev(1, "cart", k=1), ev(2, "cart")),
        ("0 missing_field@0", "1 match@6 finished@6", "2 missing_field@2"),
    ),
    Case(
        "same: a whole number equals its own digits",
        "Trigger: cart\nCondition: NOT buy where same k within 5h",
        (ev(0, "cart", k=7), ev(1, "buy", k="7")),
        ("0 false@1",),
    ),
    Case(
        "Quiet hours: an action waits for their end, which is outside",
        "Trigger: cart\nAction: mail\nQuiet hours: 21:00 to 09:00\nTriggered again: each",
        (ev(20, "cart"), ev(21, "cart"), ev(33, "cart")),
        ("20 mail@20 finished@20", "21 mail@33 finished@33", "33 mail@33 finished@33"),
    ),
    Case(
        "Quiet hours: whole days, and the night after them",
        "Trigger: cart\nAction: mail\nQuiet hours: 21:00 to 09:00, saturday, sunday",
        (ev(50, "cart"),),
        ("50 mail@105 finished@105",),
    ),
    Case(
        "Quiet hours: the next step starts when the action left",
        "Trigger: cart\nAction: mail\nWait: 2h\nAction: push\nQuiet hours: 00:00 to 09:00",
        (ev(1, "cart"),),
        ("1 mail@9 push@11 finished@11",),
    ),
    Case(
        "ruling 21: restart moves a held journey",
        "Trigger: cart\nWait: 1h\nAction: mail\nQuiet hours: 00:00 to 09:00",
        (ev(1, "cart"), ev(8.5, "cart")),
        ("1>8.5 mail@9.5 finished@9.5",),
    ),
    Case(
        "ruling 21: Only while is asked again when a held action leaves",
        "Trigger: cart\nOnly while: plan = free\nAction: mail\nQuiet hours: 00:00 to 09:00",
        (attr(0, plan="free"), ev(1, "cart"), attr(5, plan="pro")),
        ("1 only_while@9",),
    ),
    Case(
        "ruling 21: overtaken by what the gate said had not happened",
        "Trigger: cart\nCondition: NOT buy within 1h\nAction: mail\nQuiet hours: 00:00 to 09:00\nExit: none",
        (ev(1, "cart"), ev(5, "buy")),
        ("1 overtaken@9",),
    ),
    Case(
        "ruling 21: an exit withdraws a held action",
        "Trigger: cart\nCondition: NOT buy within 1h\nAction: mail\nQuiet hours: 00:00 to 09:00",
        (ev(1, "cart"), ev(5, "buy")),
        ("1 exit@5",),
    ),
    Case(
        "Active: triggers outside are ignored, the last day included",
        "Trigger: cart\nAction: mail\nActive: from 2026-01-02 until 2026-01-03",
        (ev(23, "cart"), ev(24, "cart"), ev(71, "cart"), ev(72, "cart")),
        ("24 mail@24 finished@24", "71 mail@71 finished@71"),
    ),
    Case(
        "Active: nothing leaves after it",
        "Trigger: cart\nWait: 5h\nAction: mail\nActive: until 2026-01-01",
        (ev(18, "cart"), ev(20, "cart"), ev(30, "cart")),
        ("18>20 -mail@25=inactive finished@25",),
    ),
    Case(
        "Goal: once, after the first action",
        "Trigger: cart\nAction: mail\nGoal: buy within 7 days\nTriggered again: each",
        (ev(0, "cart"), ev(0, "buy"), ev(168, "buy"), ev(200, "cart")),
        ("0 mail@0 goal@168 finished@0", "200 mail@200 finished@200"),
    ),
    Case(
        "going live: earlier triggers start nothing",
        "Trigger: cart\nWait: 5h\nAction: mail\nTriggered again: each",
        (ev(0, "cart"), ev(10, "cart")),
        ("10 mail@15 finished@15",),
        settings={"live_at": hour(10)},
    ),
    Case(
        "going live: people for whom it is true already do not start",
        "Trigger: None\nCondition: NOT login within 24h",
        (ev(0, "login"), ev(60, "login")),
        ("84 match@84 finished@84",),
        until=100,
        settings={"live_at": hour(50)},
    ),
    Case(
        "going live: Existing people: include",
        "Trigger: None\nCondition: NOT login within 24h\nExisting people: include",
        (ev(0, "login"), ev(60, "login")),
        ("50 match@50 finished@50", "84 match@84 finished@84"),
        until=100,
        settings={"live_at": hour(50)},
    ),
    Case(
        "ruling 13: history starts nothing, but answers",
        "Trigger: cart\nCondition: NOT buy within 24h",
        (was(0, "cart"), ev(1, "cart"), was(2, "cart"), was(5, "buy")),
        ("1 false@5",),
    ),
    Case(
        "ruling 13: an action at a historical event's time is not sent",
        "Trigger: cart\nCondition: buy within 24h\nAction: mail\nWait: 1h\nAction: push",
        (ev(1, "cart"), was(5, "buy")),
        ("1 push@6 -mail@5=skipped_history finished@6",),
    ),
    Case(
        "ruling 13: the last login may be history",
        "Trigger: None\nCondition: NOT login within 24h",
        (was(0, "login"),),
        ("24 match@24 finished@24",),
        until=100,
    ),
    Case(
        "grace: decided later, the moment stays",
        "Trigger: cart\nCondition: NOT buy within 24h\nTriggered again: each",
        (ev(0, "cart"), ev(5, "cart")),
        ("0 match@24 finished@24", "5 waiting"),
        until=30,
        settings={"grace": 2 * HOUR},
    ),
]

NONE_AND_SCHEDULES = [
    Case(
        "a birthday sent as midnight of UTC is that date, wherever the person lives",
        "Trigger: every year on person.born at 09:00 in America/New_York",
        (attr(0, born="1990-01-03T00:00:00Z"),),
        ("62 match@62 finished@62",),
        until=100,
    ),
    Case(
        "so is one in unix milliseconds, and any other moment is the date by the schedule's zone",
        "Trigger: every year on person.born at 09:00 in America/New_York",
        {"p": (attr(0, born=1_262_476_800_000),), "q": (attr(0, born="1990-01-03T01:00:00Z"),)},
        {"p": ("62 match@62 finished@62",), "q": ("38 match@38 finished@38",)},
        until=100,
    ),
    Case(
        "a change of the zone moves the midnight of a date, and the rule becomes true by it",
        "Trigger: None\nCondition: NOT person.renews in the last 12 hours AND a within 6 hours\nZone: person.timezone",
        (SEEN, attr(0, renews="2026-01-01"), ev(0, "a"), attr(2, timezone="America/New_York")),
        ("2 match@2 finished@2",),
    ),
    Case(
        "None: an event leaving a count",
        "Trigger: None\nCondition: view at least 2 times within 24h",
        (ev(0, "view"), ev(5, "view"), ev(30, "view"), ev(40, "view")),
        ("5 match@5 finished@5", "40 match@40 finished@40"),
    ),
    Case(
        "None: true from the first seen moment",
        "Trigger: None\nCondition: plan != pro",
        (ev(3, "seen"), attr(5, plan="pro"), attr(8, plan="free")),
        ("3 match@3 finished@3", "8 match@8 finished@8"),
    ),
    Case(
        "None: flipping twice within one instant is one value",
        "Trigger: None\nCondition: plan = pro",
        (ev(0, "seen"), attr(5, plan="pro"), attr(5, plan="silver")),
        (),
    ),
    Case(
        "None: a date fact turns by itself",
        "Trigger: None\nCondition: person.renews in the next 3 days",
        (attr(0, renews="2026-01-10"),),
        ("144 match@144 finished@144",),
    ),
    Case(
        "None: more than ago",
        "Trigger: None\nCondition: person.joined more than 2 days ago",
        (attr(0, joined="2026-01-01"),),
        ("48 match@48 finished@48",),
    ),
    Case(
        "None: the last event long ago",
        "Trigger: None\nCondition: last buy more than 10h ago",
        (ev(0, "seen"), ev(5, "buy"), ev(10, "buy")),
        ("20 match@20 finished@20",),
    ),
    Case(
        "None: becoming true again moves a waiting journey",
        "Trigger: None\nCondition: plan = pro\nWait: 10h\nAction: mail",
        (attr(0, plan="pro"), attr(3, plan="free"), attr(5, plan="pro")),
        ("0>5 mail@15 finished@15",),
    ),
    Case(
        "None: a quiet fortnight of any event",
        "Trigger: None\nCondition: NOT any event within 14 days\nAction: mail",
        (ev(0, "view"), ev(100, "cart")),
        ("436 mail@436 finished@436",),
    ),
    Case(
        "every day, for whoever was seen by then",
        "Trigger: every day at 09:00\nAction: mail",
        (ev(9, "seen"),),
        ("9 mail@9 finished@9", "33 mail@33 finished@33"),
        until=40,
    ),
    Case(
        "every monday",
        "Trigger: every monday at 09:00\nAction: mail",
        (ev(0, "seen"),),
        ("105 mail@105 finished@105",),
        until=200,
    ),
    Case(
        "a day that a month lacks is its last day",
        "Trigger: every month on day 31 at 09:00\nAction: mail",
        (ev(31 * 24, "seen"),),
        ("2026-02-28T09:00 mail@2026-02-28T09:00 finished@2026-02-28T09:00",),
        until=1500,
        iso=True,
    ),
    Case(
        "every year on a birthday, the 29th of February included",
        "Trigger: every year on person.birthday at 09:00\nAction: mail",
        (attr(0, birthday="1988-02-29"),),
        ("2026-02-28T09:00 mail@2026-02-28T09:00 finished@2026-02-28T09:00",),
        until=1500,
        iso=True,
    ),
    Case(
        "no date, no start",
        "Trigger: every year on person.birthday at 09:00\nAction: mail",
        (attr(0, birthday="unknown"),),
        (),
        until=9000,
    ),
    Case(
        "once on a date",
        "Trigger: on 2026-01-05 at 09:00 in Europe/Warsaw\nAction: mail",
        (ev(0, "seen"),),
        ("104 mail@104 finished@104",),
    ),
    Case(
        "a schedule's opening Conditions look back; false at once leaves no journey",
        "Trigger: every day at 09:00\nCondition: view within 24h\nAction: mail",
        (ev(0, "view"), ev(40, "view")),
        ("9 mail@9 finished@9", "57 mail@57 finished@57"),
        until=90,
    ),
    Case(
        "a schedule ignores while a journey waits",
        "Trigger: every day at 09:00\nWait: 30h\nAction: mail",
        (ev(0, "seen"),),
        ("9 mail@39 finished@39", "57 waiting"),
        until=60,
    ),
    Case(
        "a schedule in the person's zone",
        "Trigger: every day at 09:00\nZone: person.timezone\nAction: mail",
        (attr(0, timezone="America/New_York"),),
        ("14 mail@14 finished@14",),
        until=30,
    ),
    Case(
        "a zone that is unknown falls back",
        "Trigger: every day at 09:00\nZone: person.timezone\nAction: mail",
        (attr(0, timezone="Mars/Olympus"),),
        ("8 mail@8 finished@8",),
        until=30,
        settings={"default_zone": "Europe/Warsaw"},
    ),
    Case(
        "at most one occurrence per person and local date",
        "Trigger: every day at 09:00\nZone: person.timezone\nAction: mail",
        (attr(0, timezone="Asia/Tokyo"), attr(5, timezone="America/New_York")),
        ("0 mail@0 finished@0", "38 mail@38 finished@38"),
        until=50,
    ),
    Case(
        "in a gap the first valid instant after it",
        "Trigger: every day at 02:30 in Europe/Warsaw\nAction: mail",
        (on("2026-03-28T12:00", "seen"),),
        (
            "2026-03-29T01:00 mail@2026-03-29T01:00 finished@2026-03-29T01:00",
            "2026-03-30T00:30 mail@2026-03-30T00:30 finished@2026-03-30T00:30",
        ),
        until=2125,
        iso=True,
    ),
    Case(
        "in a fold the first occurrence, once",
        "Trigger: every day at 02:30 in Europe/Warsaw\nAction: mail",
        (on("2026-10-24T12:00", "seen"),),
        (
            "2026-10-25T00:30 mail@2026-10-25T00:30 finished@2026-10-25T00:30",
            "2026-10-26T01:30 mail@2026-10-26T01:30 finished@2026-10-26T01:30",
        ),
        until=7170,
        iso=True,
    ),
    Case(
        "days are 24 hours, wall clocks are not",
        "Trigger: cart\nZone: Europe/Warsaw\nWait: 1 day\nAction: mail\nWait: until 12:00\nAction: push",
        (on("2026-03-28T11:00", "cart"),),
        ("2026-03-28T11:00 mail@2026-03-29T11:00 push@2026-03-30T10:00 finished@2026-03-30T10:00",),
        until=3000,
        iso=True,
    ),
    Case(
        "a month is a calendar unit in the rule's zone",
        "Trigger: cart\nZone: Europe/Warsaw\nWait: 1 month\nAction: mail",
        (on("2026-03-28T11:00", "cart"), on("2026-05-31T12:00", "cart")),
        (
            "2026-03-28T11:00 mail@2026-04-28T10:00 finished@2026-04-28T10:00",
            "2026-05-31T12:00 mail@2026-06-30T12:00 finished@2026-06-30T12:00",
        ),
        until=5000,
        iso=True,
    ),
]

NIGHT = {"quiet": (read_quiet_hours("21:00 to 09:00, sunday"),)}
"""Quiet hours of the settings; hour 72 is a Sunday's midnight."""

CONSENT_AND_QUIET = [
    Case(
        "unsubscribed ends what waits, whatever the exits are",
        "Trigger: cart\nWait: 5h\nAction: mail\nExit: none",
        (ev(0, "cart"), ev(5, "unsubscribed")),
        ("0 exit@5",),
    ),
    Case(
        "unsubscribed: an opening gate is open no longer",
        "Trigger: cart\nCondition: NOT buy within 24h\nAction: mail",
        (ev(0, "cart"), ev(5, "unsubscribed", channel="sms"), ev(6, "buy")),
        ("0 exit@5",),
    ),
    Case(
        "unsubscribed from a topic ends that topic's journeys",
        "Trigger: cart\nWait: 5h\nAction: mail\nPurpose: news",
        (ev(0, "cart"), ev(1, "unsubscribed", topic="offers"), ev(2, "unsubscribed", topic="news")),
        ("0 exit@2",),
    ),
    Case(
        "unsubscribed: a transactional journey goes on",
        "Trigger: cart\nWait: 5h\nAction: mail\nPurpose: transactional",
        (ev(0, "cart"), ev(1, "unsubscribed")),
        ("0 mail@5 finished@5",),
    ),
    Case(
        "unsubscribed: the journey it began goes on",
        "Trigger: unsubscribed\nWait: 5h\nAction: mail",
        (ev(0, "unsubscribed"),),
        ("0 mail@5 finished@5",),
    ),
    Case(
        "unsubscribed is an attribute from its own time on",
        "Trigger: cart\nCondition: person.unsubscribed contains sms\nTriggered again: each",
        (
            ev(0, "cart"),
            ev(1, "unsubscribed", channel="sms"),
            ev(2, "cart"),
            ev(3, "resubscribed", channel="sms"),
            ev(4, "cart"),
        ),
        ("0 false@0", "2 match@2 finished@2", "4 false@4"),
    ),
    Case(
        "quiet hours of the settings hold like the rule's own",
        "Trigger: cart\nAction: mail",
        (ev(0, "cart"), ev(71, "cart")),
        ("0 mail@9 finished@9", "71 mail@105 finished@105"),
        settings=NIGHT,
    ),
    Case(
        "quiet hours of the settings hold besides the rule's own",
        "Trigger: cart\nAction: mail\nQuiet hours: 08:00 to 12:00",
        (ev(0, "cart"),),
        ("0 mail@12 finished@12",),
        settings=NIGHT,
    ),
    Case(
        "quiet hours of the settings go by the rule's zone",
        "Trigger: cart\nAction: mail\nZone: person.timezone",
        (attr(-1, timezone="America/New_York"), ev(3, "cart")),
        ("3 mail@14 finished@14",),
        settings=NIGHT,
    ),
    Case(
        "quiet hours of the settings leave what is transactional alone, its own do not",
        "Trigger: cart\nAction: mail\nPurpose: transactional\nQuiet hours: 01:00 to 02:00",
        (ev(0, "cart"), ev(1, "cart")),
        ("0 mail@0 finished@0", "1 mail@2 finished@2"),
        settings=NIGHT,
    ),
]

CASES = [
    *FOUR_RULES, *WINDOWS, *COUNTS, *CHAINS, *GATES, *FACTS, *STEPS, *CLAUSES, *NONE_AND_SCHEDULES, *CONSENT_AND_QUIET,
]  # fmt: skip
