"""``lapse preview``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.clock import HOUR, WallClock, iso
from engine.runtime.engine import Engine
from engine.testing import Recorder

GOLDEN = Path(__file__).parent / "golden"

RULES = """\
# Cart
Trigger: cart_updated where total >= 20
Action: send_email "cart" in person.language to person.email with total = trigger.total, times = count of cart_updated

# Another
Trigger: signed_up
Purpose: transactional
Action: send_push "cart" with total = 0

# Welcome
Trigger: signed_up
Action: send_email "welcome" to person.email

# Slip
Trigger: signed_up
Tags: slips
Action: send_slip "slip"

# Boss
Trigger: signed_up
Action: send_slip "boss" to trigger.boss

# Receipt
Trigger: paid
Purpose: transactional
Action: send_slip "receipt"
"""
TEMPLATES = {
    "cart.subject": "Your cart of {{ with.total }}, {{ person.first_name | default: 'you' }}",
    "cart.txt": "{{ person.first_name }}, {{ trigger.item }} waits.\n{{ unsubscribe_url }}\n",
    "cart.html": "<p>{{ person.first_name }}, {{ trigger.item }} waits.</p>",
    "cart.pl.txt": "{{ trigger.item }} czeka.",
    "welcome.html": "<p>Welcome</p>",
    "slip.txt": "A slip.",
    "receipt.txt": "A slip.",
    "boss.txt": "A slip.",
    "broken.txt": "\n{% if %}",
    "spare.txt": "{{ person.first_name }} {{ trigger.a }}{{ with.b }}",
}
CARTS = {"08": {"total": 30, "item": "hat"}, "09": {"total": 55, "item": "cup"}, "10": {"total": 5, "item": "pin"}}
SETTINGS = """\
[channels.mail]
type = "email"
host = "smtp.example.com"
from = "Shop <hello@shop.example>"

[actions]
send_email = "mail"
send_slip = "mail"
default = "log"

[caps]
slips = "1 per person per 1 day"

[delivery]
public_url = "https://events.shop.example"
"""


@pytest.fixture
def store(lapse, place):
    """Ann, who filled a cart twice, and templates."""
    (place / "lapse.toml").write_text(SETTINGS)
    for folder in ("rules", "templates"):
        (place / folder).mkdir()
    (place / "rules" / "some.rules").write_text(RULES)
    for name, text in TEMPLATES.items():
        (place / "templates" / name).write_text(text)
    loaded = lapse("rules", "--rules", "rules")
    assert loaded.code == 0, loaded.err
    now = WallClock().now()
    traits = {"first_name": "Ann <3", "email": "ann@example.com"}
    events = [
        {"type": "identify", "user_id": "ann", "traits": traits, "timestamp": iso(now - 3 * HOUR)},
        *(
            {"event": "cart_updated", "user_id": "ann", "timestamp": f"2026-01-05T{hour}:00:00Z", "properties": fields}
            for hour, fields in CARTS.items()
        ),
        {"event": "seen", "user_id": "bob", "timestamp": iso(now)},
    ]
    (place / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
    assert lapse("ingest", "log.jsonl").code == 0


def test_the_message_is_shown_as_it_would_go(lapse, store, place):
    ran = lapse("preview", "cart", "--person", "ann", "--rule", "cart", "--html", "cart.html")
    assert ran.code == 0
    assert ran.out == (GOLDEN / "preview.txt").read_text()
    assert ran.err == "as by the rule 'cart', after cart_updated at 2026-01-05 09:00 UTC\n"
    assert (place / "cart.html").read_text() == "<p>Ann &lt;3, cup waits.</p>"


def test_json_has_all_of_it(lapse, store):
    ran = lapse("preview", "cart", "--person", "ann", "--rule", "cart", "--format", "json")
    assert ran.code == 0
    assert ran.json == {
        "template": "cart",
        "language": None,
        "person": "ann",
        "rule": "cart",
        "action": "send_email",
        "trigger": {"event": "cart_updated", "at": "2026-01-05T09:00:00Z"},
        "from": "Shop <hello@shop.example>",
        "to": "ann@example.com",
        "subject": "Your cart of 55, Ann <3",
        "text": "Ann <3, cup waits.\nhttps://events.shop.example/unsubscribe/preview\n",
        "html": "<p>Ann &lt;3, cup waits.</p>",
        "unknown": [],
        "kept": None,
    }


def test_what_is_given_wins(lapse, store):
    ran = lapse(
        "preview", "cart", "--person", "ann", "--rule", "cart", "--format", "json", "--language", "pl-PL",
        "--with", "total=a=b", "--trigger", '{"event": "cart_updated", "properties": {"item": "bag"}}',
    )  # fmt: skip
    assert (ran.code, ran.json["language"], ran.json["text"]) == (0, "pl", "bag czeka.")
    ran = lapse("preview", "cart", "--person", "ann", "--rule", "cart", "--format", "json", "--with", "total=7",
                "--trigger", '{"item": "bag"}')  # fmt: skip
    assert ran.json["subject"] == "Your cart of 7, Ann <3"
    assert ran.json["text"].startswith("Ann <3, bag waits.")


def test_without_a_rule_it_is_the_first_that_names_the_template(lapse, store):
    ran = lapse("preview", "cart", "--person", "ann", "--format", "json")
    assert (ran.json["rule"], ran.json["action"], ran.json["from"], ran.json["trigger"]) == (
        "another", "send_push", None, None,
    )  # fmt: skip


def test_a_template_of_no_rule_sees_the_person_and_what_is_given(lapse, store):
    ran = lapse("preview", "spare", "--person", "ann", "--with", "b=true", "--trigger", '{"a": 1}', "--format", "json")
    assert (ran.code, ran.json["text"], ran.json["rule"]) == (0, "Ann <3 1true", None)
    assert (
        "no live rule names it, after the event given at "
        in lapse("preview", "spare", "--person", "ann", "--with", "b=true", "--trigger", '{"a": 1}').err
    )


def test_html_alone_is_shown_as_it_is(lapse, store):
    ran = lapse("preview", "welcome", "--person", "ann")
    assert ran.code == 0
    assert "─ HTML ─" in ran.out
    assert "<p>Welcome</p>" in ran.out


def test_html_is_pointed_at(lapse, store):
    assert "--html FILE writes it to a file" in lapse("preview", "cart", "--person", "ann", "--rule", "cart").out


def test_what_is_unknown_is_named_and_a_problem(lapse, store):
    ran = lapse("preview", "spare", "--person", "bob")
    assert ran.code == 1
    assert "warning: unknown, and so empty: person.first_name, trigger.a and with.b" in ran.err


@pytest.fixture
def known(store):
    """``known(...)`` adds to what is known of Ann, and of others."""

    def add(**traits):
        with Engine.open() as engine:
            engine.identify("ann", traits)

    return add


def test_a_mail_goes_to_the_person_where_the_rule_says_nothing(lapse, store):
    ran = lapse("preview", "slip", "--person", "ann")
    assert (ran.code, ran.out.splitlines()[1]) == (0, "To: ann@example.com")
    assert lapse("preview", "slip", "--person", "ann", "--format", "json").json["to"] == "ann@example.com"


@pytest.mark.parametrize(
    ("words", "traits", "why"),
    [
        (["slip"], {"email": None}, "the person has no attribute 'email', and the rule's action no 'to'"),
        (
            ["slip"],
            {"email": "a@example.com, b@example.com"},
            "the person's attribute 'email' is no single address like 'ann@example.com'",
        ),
        (["welcome"], {"email": None}, "nobody to send it to"),
        (["welcome"], {"email": 7}, "what the rule's 'to' names is a number and no address"),
        (["boss"], {}, "nobody to send it to"),
        (["slip"], {"unsubscribed": True}, "unsubscribed"),
        (["slip"], {"unsubscribed": ["mail"]}, "unsubscribed"),
        (["slip"], {"unsubscribed": ["another"]}, None),
        (["receipt"], {"unsubscribed": True}, None),
    ],
)
def test_what_would_not_go_is_told_and_shown_all_the_same(lapse, known, words, traits, why):
    known(**traits)
    ran = lapse("preview", *words, "--person", "ann")
    assert (ran.code, "it would not go" in ran.err) == ((0, False) if why is None else (1, True))
    assert "─ " in ran.out
    if why is not None:
        assert f"warning: it would not go: {why}\n" in ran.err
    ran = lapse("preview", *words, "--person", "ann", "--format", "json")
    assert (ran.code, ran.json["kept"]) == (0 if why is None else 1, why)


def test_an_address_that_bounced_and_a_full_cap_are_told(lapse, store):
    with Engine.open(fallback=Recorder()) as engine:
        engine.ingest({"event": "signed_up", "user_id": "ann"})
        engine.run_due()
        engine.settle()
        (sent,) = [one for one in engine.deliveries().items if one.rule == "slip"]
    ran = lapse("preview", "slip", "--person", "ann")
    assert (ran.code, "warning: it would not go: as many as the cap 'slips' allows\n" in ran.err) == (1, True)
    with Engine.open(fallback=Recorder()) as engine:
        bounce = {"event": "email_bounced", "user_id": "ann", "caused_by": sent.key, "properties": {"hard": True}}
        engine.ingest(bounce)
    ran = lapse("preview", "slip", "--person", "ann")
    assert (ran.code, "warning: it would not go: the address takes no mail\n" in ran.err) == (1, True)


def test_somebody_elses_consent_counts_where_it_is_their_address(lapse, known):
    with Engine.open() as engine:
        engine.identify("eve", {"email": "eve@example.com", "unsubscribed": True})
    ran = lapse("preview", "boss", "--person", "ann", "--trigger", '{"boss": "eve@example.com"}')
    assert (ran.code, "it would not go: unsubscribed" in ran.err) == (1, True)
    assert "To: eve@example.com" in ran.out


def test_an_action_without_a_channel_and_a_mail_without_words_do_not_go(lapse, store, place):
    (place / "templates" / "slip.txt").write_text("  ")
    ran = lapse("preview", "slip", "--person", "ann")
    assert (ran.code, "it would not go: the template 'slip' makes no mail" in ran.err) == (1, True)
    settings = place / "lapse.toml"
    settings.write_text(settings.read_text().replace('default = "log"\n', ""))
    ran = lapse("preview", "cart", "--person", "ann", "--rule", "another")
    assert (ran.code, "it would not go: nothing binds its action to a channel" in ran.err) == (1, True)


def test_nobody_is_a_problem(lapse, store):
    ran = lapse("preview", "cart", "--person", "eve")
    assert (ran.code, ran.out, ran.err) == (1, "", "nobody has the id 'eve'\n")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["crat"], "error: there is no template 'crat' in 'templates'; did you mean 'cart'?"),
        (["../cart"], "error: there is no template '../cart' in 'templates'; "),
        (["broken"], "error: templates/broken.txt:2:4: something is missing here; "),
        (["cart", "--rule", "crt"], "error: no rule 'crt' is live; did you mean 'cart'?"),
        (["cart", "--rule", "welcome"], "error: the rule 'welcome' does not name the template 'cart'"),
        (["cart", "--html", "nowhere/x.html"], "error: 'nowhere/x.html' cannot be written: No such file or directory"),
        (
            ["spare", "--with", "b=1", "--trigger", "{}", "--html", "x"],
            "error: the template 'spare' has no HTML to write",
        ),
        (["cart", "--with", "total"], "'total' is not NAME=VALUE"),
        (["cart", "--trigger", "[1]"], "it is no JSON object"),
        (["cart", "--trigger", "{"], "not valid JSON"),
    ],
)
def test_what_cannot_be_shown_is_told_plainly(lapse, store, words, reason):
    ran = lapse("preview", *words, "--person", "ann")
    assert ran.code == 2
    assert reason in ran.err
    assert "Traceback" not in ran.err


def test_an_action_is_frozen_with_the_same_variables(lapse, store):
    """What leaves for real: the preview goes by the same names and values."""
    recorder = Recorder()
    with Engine.open(fallback=recorder) as engine:
        event = {"event": "cart_updated", "user_id": "ann", "properties": {"total": 40, "item": "bag"}}
        engine.ingest(event)
        engine.run_due()
        engine.settle()
        found = engine.preview("cart", "ann", rule="cart")
    (sent,) = [one for one in recorder.sent if one.template == "cart"]
    assert found is not None
    assert sent.variables.keys() == found.variables.keys()
    for name in ("trigger", "person", "with", "to", "variant"):
        assert sent.variables[name] == found.variables[name]
    assert sent.variables["journey"].keys() == found.variables["journey"].keys()
