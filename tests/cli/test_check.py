"""``lapse check``."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language import read
from engine.language.program import Program

GOLDEN = Path(__file__).parent / "golden"

WRONG = """\
# Abandoned cart
Trigger: cart_updated
Condition: NOT purchase_completed within 24 houres
Action: send_email "reminder"

Condtion: plan = free
"""
DOUBTFUL = """\
Rule: buyers
Trigger: cart_updated
Condition: purchase_completed within 24 hours
"""
FINE = """\
Rule: welcome
Trigger: signed_up
"""


@pytest.fixture
def rules(place):
    folder = place / "rules"
    folder.mkdir()

    def write(**files: str) -> Path:
        for name, text in files.items():
            (folder / f"{name}.rules").write_text(text)
        return folder

    return write


def test_every_finding_of_every_file_is_shown_with_its_caret(lapse, rules):
    rules(wrong=WRONG, doubtful=DOUBTFUL)
    ran = lapse("check")
    assert ran.code == 1
    assert ran.out == (GOLDEN / "check.txt").read_text()


def test_json_has_every_finding_with_its_place(lapse, rules):
    rules(wrong=WRONG, doubtful=DOUBTFUL)
    ran = lapse("check", "--format", "json")
    assert ran.code == 1
    assert ran.json["files"] == 2
    assert ran.json["errors"] == sum(one["severity"] == "error" for one in ran.json["findings"]) > 1
    first = ran.json["findings"][0]
    assert (first["file"], first["line"], first["severity"]) == ("rules/doubtful.rules", 3, "warning")


def test_warnings_alone_are_no_problem_unless_strict(lapse, rules):
    rules(doubtful=DOUBTFUL)
    assert lapse("check").code == 0
    assert lapse("check", "--strict").code == 1


def test_rules_without_findings_are_well(lapse, rules):
    rules(fine=FINE)
    ran = lapse("check", "rules/fine.rules", "--strict")
    assert (ran.code, ran.out) == (0, "1 rule in 1 file: all is well\n")


def test_tests_beside_the_rules_are_looked_over_too(lapse, rules):
    folder = rules(fine=FINE)
    (folder / "fine.test.rules").write_text("Rule: welcome\nAt: 0h signed_up\n")
    ran = lapse("check")
    assert ran.code == 1
    assert "the test expects nothing, not even silence" in ran.out


def test_a_clause_that_cannot_be_read_hides_nothing_else(lapse, rules, templates, place):
    (place / "lapse.toml").write_text(MAILS)
    templates(welcome_txt="Hello", welcome_subject="Hello")
    broken = SENDING.replace("Trigger: signed_up", "Trigger: SignedUp\nWait: 3 dayz")
    rules(one=broken, other=broken)
    found = lapse("check", "--format", "json").json
    assert found["rules"] == 2
    codes = ["event-name", "unknown-unit", "template-missing"]
    assert [one["code"] for one in found["findings"]] == [*codes, "duplicate-id", *codes]


def test_a_file_that_is_not_utf_8_is_an_error_at_its_first_bad_byte(lapse, rules):
    folder = rules(doubtful=DOUBTFUL)
    (folder / "old.rules").write_bytes("Trigger: a\nCondition: person.miasto = Łódź\n".encode("cp1250"))
    (folder / "old.test.rules").write_bytes("# Tydzień\nRule: a\n".encode("cp1250"))
    ran = lapse("check")
    assert ran.code == 1
    assert ran.out == (GOLDEN / "check_not_utf_8.txt").read_text()


def test_a_byte_order_mark_is_nothing_to_speak_of(lapse, rules):
    folder = rules()
    (folder / "fine.rules").write_text("# Welcome\n" + FINE, "utf-8-sig")
    (folder / "fine.test.rules").write_text(
        "# Nothing comes\nRule: welcome\nAt: 0h signed_up\nExpect: match at 0h\n", "utf-8-sig"
    )
    ran = lapse("check", "--strict")
    assert (ran.code, ran.out) == (0, "1 rule and 1 test in 2 files: all is well\n")
    assert lapse("test").code == 0


def test_a_path_that_is_not_there_is_told_plainly(lapse):
    ran = lapse("check", "nowhere")
    assert ran.code == 2
    assert ran.err.startswith("error: there ")
    assert "'nowhere'" in ran.err


def test_colour_is_kept_from_what_is_no_terminal(lapse, rules):
    rules(wrong=WRONG)
    ran = lapse("check")
    assert ran.code == 1
    assert "\x1b" not in ran.out + ran.err


MAILS = """\
[channels.mail]
type = "email"
host = "smtp.example.com"
from = "shop@example.com"

[actions]
default = "mail"
"""
SENDING = """\
Rule: welcome
Trigger: signed_up
Action: send_email "welcome" to person.email with plan = person.plan
Action: send_email "welcom" to person.email
"""


@pytest.fixture
def templates(place):
    folder = place / "templates"
    folder.mkdir()

    def write(**files: str) -> None:
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text)

    return write


def test_templates_are_looked_over_with_the_rules_that_name_them(lapse, rules, templates, place):
    (place / "lapse.toml").write_text(MAILS)
    rules(sending=SENDING)
    templates(
        welcome_html="<p>Hello {{ persn.name }},\n{{ with.plam }}, {{ person.name | upcas }}", loose_txt="{% if %}"
    )
    ran = lapse("check")
    assert ran.code == 1
    assert ran.out == (GOLDEN / "check_templates.txt").read_text()
    found = lapse("check", "--format", "json").json
    assert (found["files"], found["templates"], found["errors"], found["warnings"]) == (1, 2, 4, 2)
    assert {one["file"] for one in found["findings"]} == {
        "rules/sending.rules", "templates/welcome.html", "templates/loose.txt",
    }  # fmt: skip


def test_templates_that_are_well_are_counted(lapse, rules, templates):
    rules(fine=FINE)
    templates(some_txt="Hello {{ person.name }}", some_pl_txt="")
    assert lapse("check", "--strict").out == "1 rule in 1 file, 2 files of templates: all is well\n"


def test_another_folder_of_templates_can_be_named(lapse, rules, templates, place):
    rules(fine=FINE)
    templates(broken_txt="{% if %}")
    (place / "mails").mkdir()
    assert lapse("check").code == 1
    assert lapse("check", "--templates", "mails").code == 0
    ran = lapse("check", "--templates", "nowhere")
    assert ran.code == 2
    assert "there is no folder at 'nowhere'" in ran.err


# ---------------------------------------------------------------------------------------------- names in the settings

NAMING = """\
[caps]
promo = "1 per person per day"  # not promotion
promotion = "1 per person per day"

[guard]
exempt = [
  "send_receipt",
]

[guard.rules]
welcom = 50
"""
TAGGED = "Rule: welcome\nTrigger: signed_up\nTags: promo\n"


@pytest.fixture
def naming(place, rules):
    (place / "lapse.toml").write_text(NAMING)
    return rules(tagged=TAGGED)


def test_names_in_the_settings_that_no_rule_has_are_warnings(lapse, naming):
    ran = lapse("check")
    assert ran.code == 0
    assert ran.out == (GOLDEN / "check_settings.txt").read_text()
    assert lapse("check", "--strict").code == 1
    found = lapse("check", "rules/", "--format", "json").json
    assert (found["errors"], found["warnings"]) == (0, 3)
    assert [(one["file"], one["line"], one["code"]) for one in found["findings"]] == [
        ("lapse.toml", 3, "cap-unused"), ("lapse.toml", 7, "guard-unused"), ("lapse.toml", 11, "guard-unused"),
    ]  # fmt: skip


def test_they_are_not_told_of_some_of_the_rules(lapse, naming):
    assert lapse("check", "rules/tagged.rules").out == "1 rule in 1 file: all is well\n"


def test_they_are_not_told_of_rules_with_errors(lapse, rules, naming):
    rules(wrong=WRONG)
    assert {one["file"] for one in lapse("check", "--format", "json").json["findings"]} == {"rules/wrong.rules"}


def test_rules_of_other_workspaces_have_names_too(lapse, naming, place):
    (place / "more").mkdir()
    (place / "more" / "tagged.rules").write_text(
        "Rule: welcome\nTrigger: a\nAction: send_receipt\nTags: promotion\n\nRule: welcom\nTrigger: a\n"
    )
    (place / "lapse.toml").write_text(NAMING + '\n[workspaces.acme]\nrules = "more"\n')
    assert lapse("check").out == "1 rule in 1 file: all is well\n"


def test_one_that_stands_in_no_file_is_told_by_its_name(lapse, rules, monkeypatch):
    monkeypatch.setenv("LAPSE_CAPS", '{"prom": "1 per person per day"}')
    rules(tagged=TAGGED)
    (found,) = lapse("check", "--format", "json").json["findings"]
    assert (found["file"], found["line"], found["help"]) == ("settings", 1, "did you mean 'promo'?")
    assert " 1 | [caps] prom\n" in lapse("check").out


def test_a_test_of_a_rule_that_does_not_exist_is_an_error(lapse, place):
    (place / "rules").mkdir(exist_ok=True)
    (place / "rules" / "cart.rules").write_text("Rule: cart\nTrigger: cart_updated\n")
    (place / "rules" / "cart.test.rules").write_text(
        "Rule: card\nExpect: nothing until 1h\n\nRule: cart\nWith: other\nExpect: nothing until 1h\n"
    )
    ran = lapse("check", "rules")
    assert ran.code == 1
    assert "cart.test.rules:1:7: error: no rule 'card' [unknown-rule]" in ran.out
    assert "did you mean 'cart'?" in ran.out
    assert "no rule 'other'" in ran.out


SHOP = """\
Rule: cart
Trigger: cart_updatd where cart_totl >= 50
Condition: NOT purchase_completed within 4 hours AND person.plann = free AND person.seats = "three"
Wait: until purchase_completed
Action: send_push "x" with total = trigger.cart_total
"""


def test_names_are_held_against_what_the_store_has_seen(lapse, place):
    (place / "log.jsonl").write_text(
        '{"event": "cart_updated", "user_id": "u1","timestamp": "2026-01-05T10:00Z", "properties": {"cart_total": 8}}\n'
        '{"event": "purchase_completed", "user_id": "u1", "timestamp": "2026-01-05T10:00Z"}\n'
        '{"type": "identify", "user_id": "u1", "traits": {"plan": "free", "seats": 3}}\n'
    )
    assert lapse("ingest", "log.jsonl", "--history").code == 0
    (place / "shop.rules").write_text(SHOP)
    ran = lapse("check", "shop.rules", "--format", "json")
    told = {(one["code"], one["severity"]) for one in ran.json["findings"]}
    assert {
        ("unknown-event", "warning"),
        ("unknown-attribute", "warning"),
        ("never-equal", "warning"),
        ("event-or-date", "warning"),
    } <= told
    assert ran.json["errors"] == 0
    unseen = lapse("check", "shop.rules", "--format", "json", "--no-store").json["findings"]
    assert not {one["code"] for one in unseen} & {"unknown-event", "unknown-attribute", "never-equal"}


def test_checking_makes_no_store(lapse, place):
    (place / "shop.rules").write_text(SHOP)
    lapse("check", "shop.rules")
    assert not list(place.glob("*.db*"))


def test_without_a_store_a_name_one_letter_away_from_others_is_told(lapse, place):
    (place / "shop.rules").write_text(
        "Rule: a\nTrigger: cart_updated\nCondition: person.country = PL\n\n"
        "Rule: a-again\nTrigger: cart_updated\nCondition: person.country = DE\n\n"
        "Rule: b\nTrigger: cart_updatde\nCondition: person.coutry = PL\n\n"
        "Rule: c\nTrigger: step_1 OR cart_update_2\n\nRule: d\nTrigger: step_2\n"
    )
    told = [(one["code"], one["help"]) for one in lapse("check", "shop.rules", "--format", "json").json["findings"]]
    assert ("unknown-event", "did you mean 'cart_updated'?") in told
    assert ("unknown-attribute", "did you mean 'person.country'?") in told
    assert len([code for code, _ in told if code.startswith("unknown")]) == 2


def test_dates_that_are_past_are_told(lapse, place):
    (place / "old.rules").write_text(
        "Rule: a\nTrigger: on 2020-11-27 at 09:00\n\nRule: b\nTrigger: x_done\nActive: until 2020-01-01\n\n"
        "Rule: c\nTrigger: on 2999-11-27 at 09:00\n"
    )
    findings = lapse("check", "old.rules", "--format", "json").json["findings"]
    assert [(one["code"], one["line"]) for one in findings] == [("past-date", 2), ("past-date", 6)]


def test_a_directive_allows_one_code_in_one_rule_and_an_unused_one_is_told(lapse, place):
    (place / "x.rules").write_text(
        "# lapse: allow event-name because the vendor sends it so\nRule: a\nTrigger: Order Done\n".replace(
            " Done", "Done"
        )
        + "\nRule: b\nTrigger: OrderDone # lapse: allow unlimited because of nothing\n"
    )
    findings = lapse("check", "x.rules", "--format", "json").json["findings"]
    assert [(one["code"], one["line"]) for one in findings] == [("event-name", 6), ("unused-directive", 6)]


def test_a_directive_is_neither_title_nor_note_and_changes_no_digest():
    plain = "# Title\n# note\nRule: a\nTrigger: cart_updated\nCondition: NOT purchase_completed\n"
    allowed = plain.replace("Rule: a", "# lapse: allow no-window because we mean it\nRule: a")
    (first,), (second,) = read(plain).rules, read(allowed).rules
    assert (second.title, second.notes, Program(second).digest) == (first.title, first.notes, Program(first).digest)
