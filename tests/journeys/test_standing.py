"""Rules that start by themselves: becoming true, and schedules (section 4, rulings 10 to 13)."""

from __future__ import annotations

from engine.journeys.standing import Watch
from tests.oracle.build import attr, ev, was

from .story import Down, Story, late, outcome, table

QUIET = "Trigger: None\nCondition: NOT login within 24h\nAction: mail"
PRO = "Trigger: None\nCondition: plan = pro\nAction: mail"
DAILY = "Trigger: every day at 09:00\nAction: mail"


@table(
    Story("section 4: once per quiet spell", QUIET, (ev(0, "login"),), ("24 mail@24 finished@24",)),
    Story(
        "section 4: each spell has its own",
        QUIET,
        (ev(0, "login"), ev(30, "login")),
        ("24 mail@24 finished@24", "54 mail@54 finished@54"),
    ),
    Story("ruling 10: at the first seen moment", PRO, (attr(3, plan="pro"),), ("3 mail@3 finished@3",)),
    Story(
        "ruling 10: staying so starts nothing",
        PRO,
        (attr(3, plan="pro"), attr(5, plan="pro")),
        ("3 mail@3 finished@3",),
    ),
    Story(
        "ruling 10: each time it flips",
        PRO,
        (attr(3, plan="pro"), attr(5, plan="free"), attr(6, plan="pro")),
        ("3 mail@3 finished@3", "6 mail@6 finished@6"),
    ),
    Story(
        "ruling 10: Limit is for facts that flip",
        PRO + "\nLimit: once per person",
        (attr(3, plan="pro"), attr(5, plan="free"), attr(6, plan="pro")),
        ("3 mail@3 finished@3", "6 limited@6"),
    ),
    Story(
        "ruling 10: late data that only moves the beginning starts nothing",
        PRO,
        (ev(0, "seen"), attr(10, plan="pro"), late(12, attr(8, plan="pro"))),
        ("10 mail@10 finished@10",),
    ),
    Story(
        "ruling 10: the next needs a moment at which it was not true, as now known",
        PRO,
        (attr(3, plan="pro"), attr(20, plan="pro"), late(21, attr(10, plan="free"))),
        ("3 mail@3 finished@3", "20 mail@20>21 finished@20"),
    ),
    Story(
        "one action a spell: a late event that only moves the beginning does not act again",
        QUIET,
        (ev(0, "login"), late(25, ev(0.05, "login"))),
        ("24 mail@24 finished@24",),
    ),
    Story(
        "one action a spell: nor does one that moves it far",
        QUIET,
        (ev(0, "login"), late(30, ev(20, "login"))),
        ("24 mail@24 finished@24",),
    ),
    Story(
        "one action a spell: several late events move it again and again",
        QUIET,
        (ev(0, "login"), late(25, ev(0.05, "login")), late(26, ev(0.1, "login")), late(27, ev(2, "login"))),
        ("24 mail@24 finished@24",),
    ),
    Story(
        "one action a spell: what happened after the action begins another",
        QUIET,
        (ev(0, "login"), late(26, ev(23, "login")), ev(30, "login")),
        ("24 mail@24 finished@24", "54 mail@54 finished@54"),
    ),
    Story(
        "one action a spell: so it does where late data shows that the first never was",
        "Trigger: None\nCondition: plan = pro AND country = PL\nAction: mail",
        (attr(0, country="PL"), attr(3, plan="pro"), late(5, attr(2, country="DE")), attr(20, country="PL")),
        ("3 mail@3 finished@3", "20 mail@20 finished@20"),
    ),
    Story(
        "ruling 10: late data that shows it was never true withdraws what has not left",
        "Trigger: None\nCondition: plan = pro AND country = PL\nAction: mail\nQuiet hours: 00:00 to 09:00",
        (attr(0, country="PL"), attr(3, plan="pro"), late(5, attr(2, country="DE"))),
        (),
    ),
    Story(
        "ruling 11: unknown is not true",
        QUIET,
        (ev(5, "seen"),),
        (),
        until=28.99,
    ),
    Story("ruling 11: watched for long enough", QUIET, (ev(5, "seen"),), ("29 mail@29 finished@29",)),
    Story(
        "ruling 11: history lengthens what was watched, and what had passed by then starts nothing",
        QUIET,
        (ev(50, "seen"), late(60, was(10, "seen"))),
        (),
    ),
    Story(
        "ruling 11: history that shows a moment still to come",
        QUIET,
        (ev(50, "seen"), late(60, was(40, "login"))),
        ("64 mail@64 finished@64",),
    ),
    Story(
        "ruling 13: becoming true at a historical event's time starts nothing",
        "Trigger: None\nCondition: buy within 24h\nAction: mail",
        (ev(0, "seen"), was(5, "buy")),
        (),
    ),
)
def test_becoming_true(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


@table(
    Story("ruling 12: seen by then", DAILY, (ev(9, "seen"),), ("9 mail@9 finished@9",), until=30),
    Story("ruling 12: not seen by then", DAILY, (ev(9.01, "seen"),), ("33 mail@33 finished@33",), until=40),
    Story(
        "ruling 12: whose first event arrived after the moment was worked through",
        DAILY,
        (late(12, ev(5, "seen")),),
        ("33 mail@33 finished@33",),
        until=40,
    ),
    Story(
        "ruling 12: of several missed in one downtime only the newest",
        DAILY,
        (ev(0, "seen"), Down(1, 60)),
        ("57 mail@57>60 finished@57",),
        until=70,
    ),
    Story(
        "ruling 12: an opening gate false at once leaves a count, no journey",
        DAILY.replace("Action", "Condition: view within 24h\nAction"),
        (ev(0, "seen"), ev(20, "view")),
        ("33 mail@33 finished@33",),
        until=40,
        notes={"schedule_false": 1},
    ),
    Story(
        "ruling 12: ignore is what a schedule does",
        "Trigger: every day at 09:00\nWait: 25h\nAction: mail",
        (ev(0, "seen"),),
        ("9 mail@34 finished@34", "57 waiting"),
        until=60,
    ),
    Story(
        "ruling 12: one a local date for somebody who travels west",
        DAILY + "\nZone: person.timezone",
        (attr(0, timezone="Europe/Warsaw"), attr(10, timezone="America/New_York")),
        ("8 mail@8 finished@8", "38 mail@38 finished@38"),
        until=40,
    ),
    Story(
        "ruling 12: and none is left out for one who travels east",
        DAILY + "\nZone: person.timezone",
        (attr(0, timezone="America/New_York"), attr(15, timezone="Asia/Tokyo")),
        ("14 mail@14 finished@14", "24 mail@24 finished@24"),
        until=40,
    ),
)
def test_schedules(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


def test_a_watch_is_read_as_it_was_written() -> None:
    watch = Watch(5, [(3, "2026-01-01"), (4, "2026-01-02")], due=9, row=7)
    assert Watch.restore(watch.dump(), watch.followed, watch.due, watch.row) == watch
    assert Watch.restore(Watch().dump(), None, None) == Watch()
