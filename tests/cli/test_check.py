"""``lapse check``."""

from __future__ import annotations

from pathlib import Path

import pytest

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
