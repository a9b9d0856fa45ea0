"""Journeys told as stories: what comes late or waits for grace, people who become one, rules that change meanwhile."""

from __future__ import annotations

from tests.oracle.build import attr, ev, was

from .story import Down, Edit, Join, Of, Pause, Story, late, outcome, table, tell, told

CART = "Trigger: cart\nCondition: NOT buy within 24h\nAction: mail"
QUIET = "\nQuiet hours: 00:00 to 09:00"


@table(
    Story(
        "ruling 13: history answers a question that is still open, and a leaving is one",
        "Trigger: cart\nCondition: NOT buy within 1h\nAction: mail\nExit: none" + QUIET,
        (ev(1, "cart"), late(5, was(1.5, "buy"))),
        ("1 overtaken@9",),
    ),
    Story(
        "ruling 13: history exits",
        "Trigger: cart\nWait: 5h\nAction: mail\nExit: buy",
        (ev(0, "cart"), late(4, was(3, "buy"))),
        ("0 exit@3",),
    ),
    Story(
        "ruling 13: history re-opens nothing that has ended",
        "Trigger: cart\nCondition: buy within 5h\nAction: mail",
        (ev(0, "cart"), late(8, was(3, "buy"))),
        ("0 false@5",),
    ),
    Story(
        "ruling 13: history counts",
        "Trigger: cart\nCondition: buy at least 2 times in the last 24h",
        (was(0, "buy"), was(1, "buy"), ev(2, "cart")),
        ("2 match@2 finished@2",),
    ),
    Story(
        "ruling 13: history moves no start",
        "Trigger: cart\nWait: 5h\nAction: mail",
        (ev(0, "cart"), was(3, "cart")),
        ("0 mail@5 finished@5",),
    ),
    Story(
        "ruling 11: becoming true in what history shows of the past starts nothing",
        "Trigger: None\nCondition: buy at least 2 times within 24h",
        (ev(0, "seen"), late(30, was(3, "buy")), late(30, was(4, "buy"))),
        (),
    ),
)
def test_history(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


@table(
    Story(
        "ruling 16: a trigger is decided at its moment + grace, the moment stays",
        "Trigger: cart\nAction: mail",
        (ev(0, "cart"),),
        ("0 mail@0>2 finished@0",),
        settings={"grace": 2},
    ),
    Story(
        "ruling 16: not before",
        "Trigger: cart\nAction: mail",
        (ev(0, "cart"),),
        (),
        until=1.99,
        settings={"grace": 2},
    ),
    Story(
        "ruling 16: presence waits too, and the next step starts at the moment",
        "Trigger: cart\nCondition: buy within 24h\nAction: mail\nWait: 1h\nAction: push",
        (ev(0, "cart"), ev(3, "buy")),
        ("0 mail@3>5 push@4>6 finished@4",),
        settings={"grace": 2},
    ),
    Story(
        "ruling 16: a straggler within the grace counts",
        CART,
        (ev(0, "cart"), late(25.9, ev(23, "buy"))),
        ("0 false@23",),
        settings={"grace": 2},
    ),
    Story(
        "ruling 16: one that arrives with the decision counts",
        CART,
        (ev(0, "cart"), late(26, ev(24, "buy"))),
        ("0 false@24",),
        settings={"grace": 2},
    ),
    Story(
        "ruling 16: a straggler may move the start",
        CART,
        (ev(0, "cart"), late(25.9, ev(23, "cart"))),
        ("0>23 mail@47>49 finished@47",),
        settings={"grace": 2},
    ),
    Story(
        "ruling 16: what is read is what stood at the moment",
        "Trigger: cart\nWait: 5h\nCondition: plan = free\nAction: mail",
        (attr(0, plan="free"), ev(0, "cart"), attr(6, plan="pro")),
        ("0 mail@5>7 finished@5",),
        settings={"grace": 2},
    ),
)
def test_grace(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


@table(
    Story(
        "ruling 17: a late event turns a decision over",
        "Trigger: cart\nCondition: buy within 5h\nAction: mail",
        (ev(0, "cart"), late(8, ev(3, "buy"))),
        ("0 mail@3>8 finished@3",),
    ),
    Story(
        "ruling 17: what had ended for as long as late is still open",
        "Trigger: cart\nCondition: buy within 5h\nAction: mail",
        (ev(0, "cart"), late(29, ev(3, "buy"))),
        ("0 mail@3>29 finished@3",),
    ),
    Story(
        "ruling 17: what had ended for longer stays closed",
        "Trigger: cart\nCondition: buy within 5h\nAction: mail",
        (ev(0, "cart"), late(29.01, ev(3, "buy"))),
        ("0 false@5",),
    ),
    Story(
        "ruling 17: an action that waits to leave is withdrawn",
        "Trigger: cart\nCondition: NOT buy within 1h\nAction: mail" + QUIET,
        (ev(1, "cart"), late(5, ev(1.5, "buy"))),
        ("1 false@1.5",),
    ),
    Story(
        "ruling 17: decisions after the last action that left are taken again",
        "Trigger: cart\nAction: mail\nCondition: buy within 5h\nAction: push",
        (ev(0, "cart"), late(8, ev(3, "buy"))),
        ("0 mail@0 push@3>8 finished@3",),
    ),
    Story(
        "ruling 17: decisions up to it are final",
        CART + "\nWait: 5h\nAction: push\nExit: none",
        (ev(0, "cart"), late(26, ev(20, "buy"))),
        ("0 mail@24 push@29 finished@29",),
        notes={"late_after_fire": 1},
    ),
    Story(
        "a purchase that comes late ends what goes on after the mail it would have kept",
        CART + "\nWait: 5h\nAction: push",
        (ev(0, "cart"), late(26, ev(20, "buy"))),
        ("0 mail@24 exit@24",),
        notes={"late_after_fire": 1},
    ),
    Story(
        "an event in time that the opening gate let pass stays no exit",
        "Trigger: cart\nCondition: NOT buy within 2h AND view within 24h\nAction: mail\nWait: 5h\nAction: push",
        (ev(0, "cart"), ev(5, "buy"), ev(10, "view")),
        ("0 mail@10 push@15 finished@15",),
    ),
    Story(
        "section 6: an action already sent stays sent and is noted, once",
        CART,
        (ev(0, "cart"), late(26, ev(20, "buy")), late(27, ev(21, "buy"))),
        ("0 mail@24 finished@24",),
        notes={"late_after_fire": 1},
    ),
    Story(
        "ruling 17: moved triggers are counted in: a purchase before the later cart",
        CART,
        (ev(0, "cart"), ev(5, "cart"), late(6, ev(3, "buy"))),
        ("0 false@3", "5 mail@29 finished@29"),
    ),
    Story(
        "ruling 17: ignored triggers are counted in",
        CART + "\nTriggered again: ignore",
        (ev(0, "cart"), ev(5, "cart"), late(6, ev(3, "buy"))),
        ("0 false@3", "5 mail@29 finished@29"),
    ),
    Story(
        "ruling 17: a late trigger moves a start",
        CART,
        (ev(0, "cart"), late(20, ev(10, "cart"))),
        ("0>10 mail@34 finished@34",),
    ),
    Story(
        "ruling 17: an earlier trigger comes late under ignore",
        CART + "\nTriggered again: ignore",
        (ev(10, "cart"), late(20, ev(3, "cart"))),
        ("3 mail@27 finished@27",),
    ),
    Story(
        "ruling 17: a late change of attributes is a late event like others",
        "Trigger: cart\nCondition: plan = free\nWait: 5h\nAction: mail",
        (ev(1, "cart"), late(3, attr(0, plan="free"))),
        ("1 mail@6 finished@6",),
    ),
)
def test_decided_again(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


ACTED = "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail\nWait: 10h\nAction: push"


@table(
    Story(
        "ruling 18: between start and end of one that has acted",
        ACTED,
        (ev(0, "cart"), late(6, ev(3, "cart"))),
        ("0 mail@5 push@15 finished@15",),
        notes={"absorbed": 1},
    ),
    Story(
        "ruling 18: it would still have been running when that one started",
        ACTED,
        (ev(10, "cart"), late(16, ev(8, "cart"))),
        ("10 mail@15 push@25 finished@25",),
        notes={"absorbed": 1},
    ),
    Story(
        "ruling 18: to its very instant",
        "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail",
        (ev(10, "cart"), late(16, ev(5, "cart"))),
        ("10 mail@15 finished@15",),
        notes={"absorbed": 1},
    ),
    Story(
        "ruling 18: one that was over by then has its own journey",
        "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail",
        (ev(10, "cart"), late(16, ev(4, "cart"))),
        ("4 mail@9>16 finished@9", "10 mail@15 finished@15"),
    ),
    Story(
        "ruling 18: under ignore",
        "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail\nTriggered again: ignore",
        (ev(10, "cart"), late(16, ev(8, "cart"))),
        ("10 mail@15 finished@15",),
        notes={"absorbed": 1},
    ),
    Story(
        "ruling 18: under replace",
        "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail\nTriggered again: replace",
        (ev(10, "cart"), late(16, ev(8, "cart"))),
        ("10 mail@15 finished@15",),
        notes={"absorbed": 1},
    ),
    Story(
        "ruling 18: but with each",
        "Trigger: cart\nCondition: NOT buy within 5h\nAction: mail\nTriggered again: each",
        (ev(10, "cart"), late(16, ev(8, "cart"))),
        ("8 mail@13>16 finished@13", "10 mail@15 finished@15"),
    ),
    Story(
        "ruling 18: another value of For each is another journey",
        "Trigger: cart\nFor each: k\nCondition: NOT buy within 5h\nAction: mail",
        (ev(10, "cart", k="x"), late(16, ev(8, "cart", k="y"))),
        ("8/y mail@13>16 finished@13", "10/x mail@15 finished@15"),
    ),
)
def test_absorbed(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


WAITS = "Trigger: cart\nWait: 5h\nAction: mail\nExit: none\n"


@table(
    Story("ruling 19: late by no more than late", WAITS, (ev(0, "cart"), Down(1, 29)), ("0 mail@5>29 finished@5",)),
    Story("ruling 19: later", WAITS, (ev(0, "cart"), Down(1, 29.01)), ("0 -mail@5=skipped_late finished@5",)),
    Story(
        "ruling 19: Late: skip after, its edge",
        WAITS + "Late: skip after 6 hours",
        (ev(0, "cart"), Down(1, 11)),
        ("0 mail@5>11 finished@5",),
    ),
    Story(
        "ruling 19: Late: skip after",
        WAITS + "Late: skip after 6 hours",
        (ev(0, "cart"), Down(1, 11.01)),
        ("0 -mail@5=skipped_late finished@5",),
    ),
    Story(
        "ruling 19: Late: always", WAITS + "Late: always", (ev(0, "cart"), Down(1, 300)), ("0 mail@5>300 finished@5",)
    ),
    Story(
        "ruling 19: counted from the end of the quiet hours that held it",
        "Trigger: cart\nAction: mail\nQuiet hours: 21:00 to 09:00",
        (ev(21, "cart"), Down(22, 57)),
        ("21 mail@33>57 finished@33",),
    ),
    Story(
        "ruling 19: and later than that",
        "Trigger: cart\nAction: mail\nQuiet hours: 21:00 to 09:00",
        (ev(21, "cart"), Down(22, 57.01)),
        ("21 -mail@33=skipped_late finished@33",),
    ),
    Story(
        "ruling 19: a trigger stamped 71 hours ago acts on arrival",
        "Trigger: cart\nAction: mail",
        (late(71, ev(0, "cart")),),
        ("0 mail@0>71 finished@0",),
    ),
    Story(
        "ruling 19: a wait's end is no event's own time",
        "Trigger: cart\nWait: 1h\nAction: mail",
        (late(71, ev(0, "cart")),),
        ("0 -mail@1=skipped_late finished@1",),
    ),
    Story(
        "ruling 19: what is skipped counts as no action, and the journey goes on",
        "Trigger: cart\nWait: 1h\nAction: mail\nWait: 30h\nAction: push\nLimit: once per person",
        (ev(0, "cart"), Down(0.5, 26)),
        ("0 -mail@1=skipped_late push@31 finished@31",),
    ),
    Story(
        "ruling 20: later steps count from the moment; several leave together",
        "Trigger: cart\nWait: 1h\nAction: mail\nWait: 1h\nAction: push\nWait: 20h\nAction: call",
        (ev(0, "cart"), Down(0.5, 10)),
        ("0 mail@1>10 push@2>10 call@22 finished@22",),
    ),
    Story(
        "ruling 20: decided with the timeline as it was",
        "Trigger: cart\nWait: 1h\nCondition: plan = free\nAction: mail",
        (attr(0, plan="free"), ev(0, "cart"), Down(0.5, 10), late(10, attr(5, plan="pro"))),
        ("0 mail@1>10 finished@1",),
    ),
    Story(
        "ruling 21: Only while is asked at the leaving",
        "Trigger: cart\nOnly while: plan = free\nWait: 1h\nAction: mail",
        (attr(0, plan="free"), ev(0, "cart"), Down(0.5, 10), late(10, attr(5, plan="pro"))),
        ("0 only_while@10",),
    ),
    Story(
        "ruling 21: an exit withdraws what has not left of a journey that has ended",
        "Trigger: cart\nWait: 1h\nAction: mail\nExit: buy",
        (ev(0, "cart"), Down(0.5, 10), late(10, ev(5, "buy"))),
        ("0 exit@5",),
    ),
    Story(
        "ruling 21: what the gate said had not happened, until the leaving",
        CART + "\nExit: none",
        (ev(0, "cart"), Down(1, 30), late(30, ev(28, "buy"))),
        ("0 overtaken@30",),
    ),
    Story(
        "ruling 21: a gate that holds otherwise is not overtaken",
        "Trigger: cart\nCondition: NOT buy within 1h AND NOT view within 1h OR plan = free\nAction: mail\nExit: none"
        + QUIET,
        (attr(0, plan="free"), ev(1, "cart"), ev(5, "buy")),
        ("1 mail@9 finished@9",),
    ),
    Story(
        "ruling 21: a count is not asked again",
        "Trigger: cart\nCondition: NOT buy at least 1 times within 1h\nAction: mail\nExit: none" + QUIET,
        (ev(1, "cart"), ev(5, "buy")),
        ("1 mail@9 finished@9",),
    ),
    Story(
        "ruling 23: what was skipped, without recipient or withdrawn counts as no action",
        "Trigger: cart\nAction: mail to person.email\nLimit: once per person",
        (ev(0, "cart"), attr(1, email="p@example.org"), ev(2, "cart"), ev(3, "cart")),
        ("0 -mail@0=no_recipient finished@0", "2 mail@2 finished@2", "3 limited@3"),
    ),
    Story(
        "ruling 23: after an action that was not taken a trigger still moves the start",
        "Trigger: cart\nAction: mail to person.email\nWait: 5h\nAction: push",
        (ev(0, "cart"), ev(3, "cart")),
        ("0>3 -mail@0=no_recipient -mail@3=no_recipient push@8 finished@8",),
    ),
    Story(
        "ruling 25: a limit counts by the time of leaving",
        "Trigger: cart\nWait: 1h\nAction: mail\nLimit: once per person per 24h",
        (ev(0, "cart"), Down(0.5, 10), ev(32.9, "cart"), ev(40, "cart")),
        ("0 mail@1>10 finished@1", "32.9 limited@33.9", "40 mail@41 finished@41"),
    ),
    Story(
        "ruling 25: exactly D ago no longer counts",
        "Trigger: cart\nWait: 1h\nAction: mail\nLimit: once per person per 24h",
        (ev(0, "cart"), Down(0.5, 10), ev(33, "cart")),
        ("0 mail@1>10 finished@1", "33 mail@34 finished@34"),
    ),
)
def test_held_late_and_limited(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


TWO = (ev(0, "cart"), Of("q", ev(3, "cart")), Join(5, "q", "p"))
LONG = "Trigger: cart\nWait: 5h\nAction: mail\nWait: 10h\nAction: push"


@table(
    Story("ruling 27: restart", CART, TWO, ("0>3 mail@27 finished@27",)),
    Story("ruling 27: ignore", CART + "\nTriggered again: ignore", TWO, ("0 mail@24 finished@24",)),
    Story("ruling 27: each", CART + "\nTriggered again: each", TWO, ("0 mail@24 finished@24", "3 mail@27 finished@27")),
    Story("ruling 27: replace", CART + "\nTriggered again: replace", TWO, ("0 replaced@3", "3 mail@27 finished@27")),
    Story(
        "ruling 27: a cart before the login is cancelled by the purchase after it",
        CART,
        (Of("q", ev(0, "cart")), Join(5, "q", "p"), ev(6, "buy")),
        ("0 false@6",),
    ),
    Story(
        "ruling 27: a purchase before the login, on the other side",
        CART,
        (Of("q", ev(0, "cart")), ev(2, "buy"), Join(5, "q", "p")),
        ("0 false@2",),
    ),
    Story(
        "ruling 27: of two that acted and still wait the newer trigger goes on",
        LONG,
        (ev(0, "cart"), Of("q", ev(3, "cart")), Join(9, "q", "p")),
        ("0 mail@5 merged@9", "3 mail@8 push@18 finished@18"),
    ),
    Story(
        "ruling 27: two that acted stand beside each other with each",
        LONG + "\nTriggered again: each",
        (ev(0, "cart"), Of("q", ev(3, "cart")), Join(9, "q", "p")),
        ("0 mail@5 push@15 finished@15", "3 mail@8 push@18 finished@18"),
    ),
    Story(
        "ruling 27: one that acted stands, the other's trigger lies within it",
        LONG,
        (ev(0, "cart"), Of("q", ev(4, "cart")), Join(7, "q", "p")),
        ("0 mail@5 push@15 finished@15",),
        notes={"absorbed": 1},
    ),
    Story(
        "ruling 27: a trigger after the action of one that still waits is ignored until it ends",
        LONG,
        (ev(0, "cart"), Of("q", ev(6, "cart")), Join(7, "q", "p")),
        ("0 mail@5 push@15 finished@15",),
    ),
    Story(
        "ruling 27: nothing fires twice: a quiet spell that the other's login ends",
        "Trigger: None\nCondition: NOT login within 24h\nAction: mail",
        (Of("q", ev(0, "login")), ev(10, "login"), Join(12, "q", "p")),
        ("34 mail@34 finished@34",),
    ),
    Story(
        "ruling 27: what two people did apart counts together from then on",
        "Trigger: cart\nAction: mail\nLimit: 2 per person",
        (ev(0, "cart"), Of("q", ev(1, "cart")), Join(5, "q", "p"), ev(6, "cart")),
        ("0 mail@0 finished@0", "1 mail@1 finished@1", "6 limited@6"),
    ),
)
def test_two_people_become_one(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


PRO = "Trigger: None\nCondition: plan = pro\nAction: mail"


@table(
    Story(
        "ruling 32: triggers count as outside Active, ends included as written",
        "Trigger: cart\nAction: mail",
        (ev(4, "cart"), Pause(5, 20), ev(5, "cart"), ev(19, "cart"), ev(20, "cart")),
        ("4 mail@4 finished@4", "20 mail@20 finished@20"),
    ),
    Story(
        "ruling 32: a trigger in a pause moves nothing",
        CART,
        (ev(0, "cart"), Pause(5, 20), ev(10, "cart")),
        ("0 mail@24 finished@24",),
    ),
    Story(
        "ruling 32: exits and completing events count",
        "Trigger: cart\nCondition: view within 24h\nAction: mail\nWait: 5h\nAction: push\nExit: buy",
        (ev(0, "cart"), Pause(5, 20), ev(6, "view"), ev(10, "buy")),
        ("0 exit@10",),
    ),
    Story(
        "ruling 32: on resuming, decided as after downtime",
        "Trigger: cart\nWait: 6h\nAction: mail\nWait: 20h\nAction: push",
        (ev(0, "cart"), Pause(5, 20)),
        ("0 mail@6>20 push@26 finished@26",),
    ),
    Story(
        "ruling 32: too late on resuming",
        "Trigger: cart\nWait: 6h\nAction: mail",
        (ev(0, "cart"), Pause(5, 31)),
        ("0 -mail@6=skipped_late finished@6",),
    ),
    Story(
        "ruling 32: becoming true in a pause starts nothing, nor does staying so",
        PRO,
        (ev(0, "seen"), Pause(5, 20), attr(10, plan="pro"), attr(30, plan="free"), attr(40, plan="pro")),
        ("40 mail@40 finished@40",),
    ),
    Story(
        "ruling 32: a schedule's moments in a pause are nobody's",
        "Trigger: every day at 09:00\nAction: mail",
        (ev(0, "seen"), Pause(5, 30)),
        ("33 mail@33 finished@33",),
        until=40,
    ),
)
def test_pause(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


PUSH = "Trigger: cart\nCondition: NOT buy within 24h\nAction: push"
SHORT = "Trigger: cart\nCondition: NOT buy within 2h\nAction: push"
OTHER = "Trigger: view\nAction: push"


@table(
    Story(
        "ruling 31: earlier triggers start nothing, whenever they arrive",
        "Trigger: cart\nAction: mail\nTriggered again: each",
        (late(12, ev(9.99, "cart")), late(13, ev(10, "cart"))),
        ("10 mail@10>13 finished@10",),
        live=10,
    ),
    Story(
        "ruling 31: earlier moments start nothing, whenever they are known",
        PRO,
        (ev(0, "seen"), late(12, attr(9, plan="pro"))),
        (),
        live=10,
    ),
    Story(
        "section 5: a waiting journey finishes on the version it entered with",
        CART,
        (ev(0, "cart"), Edit(1, SHORT)),
        ("0 mail@24 finished@24",),
        live=-1,
    ),
    Story(
        "section 5: also when late events have it decided again",
        CART,
        (ev(0, "cart"), Edit(1, SHORT), late(2, ev(-1, "buy"))),
        ("0 mail@24 finished@24",),
        live=-1,
    ),
    Story(
        "section 5: also when its trigger is none any more",
        CART,
        (ev(0, "cart"), Edit(1, OTHER), late(2, ev(-1, "buy"))),
        ("0 mail@24 finished@24",),
        live=-1,
    ),
    Story(
        "section 5: also when Active has come to exclude it",
        CART,
        (ev(0, "cart"), Edit(1, CART + "\nActive: from 2026-01-02"), late(2, ev(-1, "buy"))),
        ("0 mail@24 finished@24",),
        live=-1,
    ),
    Story(
        "section 5: also when it became true by Conditions that are others now",
        "Trigger: None\nCondition: plan = pro\nWait: 10h\nAction: mail",
        (
            attr(0, plan="free"),
            attr(5, plan="pro"),
            Edit(6, "Trigger: None\nCondition: plan = gold\nWait: 10h\nAction: push"),
            late(7, attr(4, country="PL")),
        ),
        ("5 mail@15 finished@15",),
        live=-1,
    ),
    Story(
        "ruling 24: a restart goes by the newest version",
        CART,
        (ev(0, "cart"), Edit(1, PUSH), ev(3, "cart")),
        ("0>3 push@27 finished@27",),
        live=-1,
    ),
    Story(
        "ruling 31: a trigger belongs to the version live when it is processed",
        "Trigger: cart\nAction: mail\nTriggered again: each",
        (Edit(10, "Trigger: cart\nAction: push\nTriggered again: each"), late(11, ev(9, "cart"))),
        ("9 push@9>11 finished@9",),
        live=-1,
    ),
    Story(
        "section 4: a changed Trigger never fires for the past",
        "Trigger: cart\nAction: mail",
        (ev(5, "view"), Edit(10, OTHER), late(12, ev(4, "view")), ev(13, "view")),
        ("4 push@4>12 finished@4", "13 push@13 finished@13"),
        live=-1,
    ),
    Story(
        "ruling 31: an edited None rule starts nobody for whom it is true then",
        PRO,
        (attr(0, country="PL"), Edit(10, PRO.replace("plan = pro", "country = PL")), attr(20, country="DE")),
        (),
        live=-1,
    ),
    Story(
        "ruling 31: until it has been false for them",
        PRO,
        (
            attr(0, country="PL"),
            Edit(10, PRO.replace("plan = pro", "country = PL")),
            attr(20, country="DE"),
            attr(30, country="PL"),
        ),
        ("30 mail@30 finished@30",),
        live=-1,
    ),
    Story(
        "ruling 31: the old version was true, the new one is not",
        PRO,
        (attr(0, plan="pro"), Edit(10, PRO.replace("plan = pro", "country = PL")), attr(20, country="PL")),
        ("0 mail@0 finished@0", "20 mail@20 finished@20"),
        live=-1,
    ),
    Story(
        "ruling 31: Existing people: include is for a going live, not for an edit",
        PRO + "\nExisting people: include",
        (
            attr(0, plan="pro"),
            Edit(10, PRO.replace("plan = pro", "plan != free") + "\nExisting people: include"),
        ),
        ("0 mail@0 finished@0",),
        live=-1,
    ),
)
def test_going_live_and_edits(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


@table(
    Story(
        "ruling 29: a rule neither starts nor restarts from what it caused",
        "Trigger: cart\nAction: track cart\nWait: 5h\nAction: mail",
        (ev(0, "cart"),),
        ("0 track@0 mail@5 finished@5",),
        notes={"self_caused": 1},
    ),
    Story(
        "ruling 29: nor does it become true by it",
        PRO.replace("mail", "set person.plan = free\nAction: set person.plan = pro\nAction: mail"),
        (attr(0, plan="pro"),),
        ("0 set@0 set@0 mail@0 finished@0",),
    ),
)
def test_causes(story: Story) -> None:
    assert outcome(story) == outcome(story, lazy=True) == story.expected


def test_section_6_withdrawn_actions_are_named_by_their_keys() -> None:
    happens = (ev(0, "cart"), late(25, ev(20, "buy")))
    held = tell(CART, happens[:1], 24, sends=False)
    (key,) = (effect.key for one in held.people["p"].journeys for effect in one.effects)
    bench = tell(CART, happens, 30, sends=False)
    assert told(bench) == ("0 false@20",)
    assert len(bench.withdrawn) == 1
    assert key.startswith("act_")
