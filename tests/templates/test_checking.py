"""What is found before anything is sent."""

from __future__ import annotations

import pytest

from engine.language import read
from engine.templates.checking import Looked, look_over
from engine.templates.codes import CODES

from .conftest import Kitchen

RULE = """\
Rule: win-back
Trigger: subscription_cancelled
Action: send_email "t" to person.email with discount = 20, reason = trigger.reason
Action: send_push "p"
"""


def looked(kitchen: Kitchen, rules: str = RULE) -> Looked:
    return look_over(kitchen.settings, [read(rules, "r.rules")], mails=lambda action: action == "send_email")


def told(kitchen: Kitchen, rules: str = RULE) -> list[str]:
    """Every finding as it is shown."""
    return [one.render(source).replace(f"{kitchen.folder}/", "") for source, one in looked(kitchen, rules).findings]


def fine(kitchen: Kitchen) -> None:
    kitchen.write(t_subject="Hello", t_txt="Text", p_txt="Push")


def test_a_whole_folder_has_no_findings(kitchen: Kitchen) -> None:
    fine(kitchen)
    kitchen.write(t_html="{{ person.a }}{{ trigger.b }}{{ journey.start }}{{ with.discount }}{{ unsubscribe_url }}"
                         "{% for x in person.list %}{{ x }}{{ forloop.index }}{% endfor %}{% assign y = 1 %}{{ y }}"
                         "{% render 'end', name: person.name %}{% render 'end' with y as name %}{% include 'shared' %}"
                         "{% increment n %}{{ n }}{% render 'parts/line' for person.list %}"
                         "{% tablerow z in person.list %}{{ z }}{{ tablerowloop.col }}{% endtablerow %}{{ with.size }}"
                         "{{ with[person.key] }}{{ with }}".replace("{{ with }}", ""))  # fmt: skip
    kitchen.file("end.html", "{{ name }}{{ person.name }}")
    kitchen.file("parts/line.html", "{{ line }}{{ forloop.last }}")
    kitchen.file("shared.html", "{{ y }}")
    assert told(kitchen) == []
    assert looked(kitchen).files == 7


def test_what_one_template_passes_on_another_may_leave_out(kitchen: Kitchen) -> None:
    fine(kitchen)
    kitchen.write(t_html="{% render 'top', title: 'a', language: 'pl' %}", p_html="{% render 'top', title: 'a' %}")
    kitchen.file("top.html", "{{ title }}{{ language | default: 'en' }}")
    assert told(kitchen) == []


def test_a_template_that_is_not_there_is_told_where_it_is_named(kitchen: Kitchen) -> None:
    kitchen.write(tt_txt="", tt_subject="", p_txt="")
    assert told(kitchen) == [
        "r.rules:3:21: warning: there is no template 't' [template-missing]\n"
        ' 3 | Action: send_email "t" to person.email with discount = 20, reason = trigger.reason\n'
        "   |                     ^\n"
        "   = help: write t.txt or .html"
    ]


def test_a_near_name_is_suggested(kitchen: Kitchen) -> None:
    kitchen.write(welcome_txt="", welcome_subject="")
    (shown,) = told(kitchen, RULE.replace('"t"', '"welcom"').replace('Action: send_push "p"\n', ""))
    assert shown.endswith("= help: did you mean 'welcome'?")


def test_without_a_folder_only_mails_need_templates(kitchen: Kitchen) -> None:
    found = looked(kitchen)
    assert [one.message for _, one in found.findings] == ["there is no template 't'"]
    assert found.files == 0


def test_a_mail_without_subject_and_a_template_without_body_are_told(kitchen: Kitchen) -> None:
    kitchen.write(t_txt="", p_subject="Push")
    kitchen.file("t.pl.txt", "")
    kitchen.file("t.pl.subject", "")
    kitchen.file("t.de.html", "")
    kitchen.file("t.de-AT.html", "")
    assert [one.split("\n")[0] for one in told(kitchen)] == [
        "r.rules:3:21: warning: the mail 't' has no subject [template-no-subject]",
        "r.rules:3:21: warning: the mail 't' has no subject in 'de' [template-no-subject]",
        "r.rules:3:21: warning: the mail 't' has no subject in 'de-at' [template-no-subject]",
        "r.rules:4:20: error: the template 'p' has a subject and nothing else [template-empty]",
    ]


def test_a_subject_of_another_language_is_told_and_one_of_the_same_is_not(kitchen: Kitchen) -> None:
    fine(kitchen)
    for name in ("t.de.txt", "t.pl.txt", "t.pl.subject", "t.pl-PL.txt", "p.pl.txt"):
        kitchen.file(name, "")
    assert [one.split("\n")[0] for one in told(kitchen)] == [
        "r.rules:3:21: warning: the mail 't' has no subject in 'de'; there it goes under the one without a language "
        "[template-no-subject]"
    ]


def test_a_mail_that_names_no_template_is_an_error_of_its_rule(kitchen: Kitchen) -> None:
    kitchen.write(p_txt="Push")
    rules = "Rule: r\nTrigger: a\nIf: trigger.a = 1\n  Action: send_email\nEnd:\nAction: send_push\n"
    assert told(kitchen, rules) == [
        "r.rules:4:11: error: 'send_email' sends mail, and names no template to make it by [template-unnamed]\n"
        " 4 |   Action: send_email\n"
        "   |           ^^^^^^^^^^\n"
        '   = help: name one behind it, as in send_email "welcome"'
    ]
    assert not looked(kitchen, rules).joined([read(rules, "r.rules")])[0].ok


def test_a_template_in_single_languages_only_is_told(kitchen: Kitchen) -> None:
    kitchen.write(p_txt="")
    kitchen.file("t.pl.txt", "")
    kitchen.file("t.pl.subject", "")
    assert [one.split("\n")[0] for one in told(kitchen)] == [
        "r.rules:3:21: warning: the template 't' is there in single languages only [template-no-default]"
    ]


TEXTS = {
    "Hello\n{{ persn.name }}": """\
t.html:2:4: error: there is no variable 'persn'; templates know person, trigger, journey, with and unsubscribe_url \
[template-unknown-variable]
 2 | {{ persn.name }}
   |    ^^^^^
   = help: did you mean 'person'?""",
    "{{ first_name | default: 'you' }}": """\
t.html:1:4: error: there is no variable 'first_name'; templates know person, trigger, journey, with and \
unsubscribe_url [template-unknown-variable]
 1 | {{ first_name | default: 'you' }}
   |    ^^^^^^^^^^
   = help: an attribute of the person is 'person.first_name', a field of the event 'trigger.first_name'""",
    "{{ discount }}": """\
t.html:1:4: error: there is no variable 'discount'; templates know person, trigger, journey, with and unsubscribe_url \
[template-unknown-variable]
 1 | {{ discount }}
   |    ^^^^^^^^
   = help: did you mean 'with.discount'?""",
    "{{ now | date: '%Y' }}": """\
t.html:1:4: error: there is no variable 'now'; templates know person, trigger, journey, with and unsubscribe_url \
[template-unknown-variable]
 1 | {{ now | date: '%Y' }}
   |    ^^^
   = help: the moment of the action is a text in quotes: 'now' | date: '%Y'""",
    "{{ journey.steps }}{{ journey[person.a] }}{{ journey.size }}": """\
t.html:1:4: error: 'journey' has no 'steps'; it has rule, step, start and moment [template-unknown-variable]
 1 | {{ journey.steps }}{{ journey[person.a] }}{{ journey.size }}
   |    ^^^^^^^^^^^^^
   = help: did you mean 'journey.step'?""",
    "{{ journey.nope | default: 1 }}": """\
t.html:1:4: error: 'journey' has no 'nope'; it has rule, step, start and moment [template-unknown-variable]
 1 | {{ journey.nope | default: 1 }}
   |    ^^^^^^^^^^^^""",
    "{% if with.discunt > 3 %}{% endif %}": """\
t.html:1:7: error: the rule 'win-back' gives no 'discunt' [template-unknown-argument]
 1 | {% if with.discunt > 3 %}{% endif %}
   |       ^^^^^^^^^^^^
   = help: did you mean 'with.discount'?""",
    "{{ with.total }}": """\
t.html:1:4: error: the rule 'win-back' gives no 'total' [template-unknown-argument]
 1 | {{ with.total }}
   |    ^^^^^^^^^^
   = help: give it in the rule: ... with total = ...""",
    "{{ person.name | upcas | nope }}": """\
t.html:1:18: error: there is no filter 'upcas' [template-unknown-filter]
 1 | {{ person.name | upcas | nope }}
   |                  ^^^^^
   = help: did you mean 'upcase'?
t.html:1:26: error: there is no filter 'nope' [template-unknown-filter]
 1 | {{ person.name | upcas | nope }}
   |                          ^^^^""",
    "<p>{% fro x in person.list %}": """\
t.html:1:7: error: there is no tag 'fro' [template-unknown-tag]
 1 | <p>{% fro x in person.list %}
   |       ^^^
   = help: did you mean 'for'?""",
    "<p>{% if person.a %}\n{% unless person.b %}{% endunless %}\n": """\
t.html:1:7: error: 'if' is never closed [template-syntax]
 1 | <p>{% if person.a %}
   |       ^^
   = help: write {% endif %} where it ends""",
    "\n\nHi {{ person.name": """\
t.html:3:4: error: '{{' is never closed [template-syntax]
 3 | Hi {{ person.name
   |    ^^^^^^^^^^^^^^
   = help: write '}}' behind the variable""",
    "{% render 'nowhere' %}": """\
t.html:1:11: error: there is no template 'nowhere.html' to take in [template-unknown-partial]
 1 | {% render 'nowhere' %}
   |           ^^^^^^^
   = help: it is a file beside the others, of the same kind as this one""",
    "{% render 'part' %}": """\
part.html:2:4: error: there is no variable 'unknown'; templates know person, trigger, journey, with and \
unsubscribe_url [template-unknown-variable]
 2 | {{ unknown }}
   |    ^^^^^^^
   = help: an attribute of the person is 'person.unknown', a field of the event 'trigger.unknown'""",
    "{% render 'broken' %}": """\
broken.html:1:1: error: something is missing here [template-syntax]
 1 | {{ }}
   | ^^^^^
   = help: between the signs stands a variable: {{ person.first_name }}""",
}


@pytest.mark.parametrize("text", TEXTS)
def test_mistakes_are_told_with_their_place(kitchen: Kitchen, text: str) -> None:
    fine(kitchen)
    kitchen.write(t_html=text)
    if "part" in text:
        kitchen.file("part.html", "{{ person.x }}\n{{ unknown }}")
    if "broken" in text:
        kitchen.file("broken.html", "{{ }}")
    assert "\n".join(told(kitchen)) == TEXTS[text]


OTHER = '\n# Other\nTrigger: cart_updated\nAction: send_email "t" to person.email with total = trigger.cart_total\n'


def test_an_argument_that_no_rule_gives_is_a_mistake_of_the_template(kitchen: Kitchen) -> None:
    fine(kitchen)
    kitchen.write(t_html="{{ with.total | default: 0 }}{{ with.sum }}")
    assert [one.split(" [")[0] for one in told(kitchen, RULE + OTHER)] == [
        "t.html:1:33: error: none of the rules other, win-back gives 'sum'"
    ]


def test_an_argument_that_one_rule_gives_and_another_does_not_is_the_others_mistake(kitchen: Kitchen) -> None:
    fine(kitchen)
    kitchen.write(t_html="{{ with.total }}{{ with.discount }}", t_txt="{{ with.total | times: 2 }}")
    assert told(kitchen, RULE + OTHER) == [
        "r.rules:3:21: error: the template 't' writes out 'with.total', which the rule does not give here "
        "[template-missing-argument]\n"
        ' 3 | Action: send_email "t" to person.email with discount = 20, reason = trigger.reason\n'
        "   |                     ^\n"
        "   = help: add 'with total = ...' here, or write 'with.total | default: ...' in the template",
        "r.rules:8:21: error: the template 't' writes out 'with.discount', which the rule does not give here "
        "[template-missing-argument]\n"
        ' 8 | Action: send_email "t" to person.email with total = trigger.cart_total\n'
        "   |                     ^\n"
        "   = help: add 'with discount = ...' here, or write 'with.discount | default: ...' in the template",
    ]


@pytest.mark.parametrize("text", [
    "{{ with.total | default: 3 }}",
    "{{ with.total | round | default: 3 }}",
    "{% assign n = with.total | default: 3 %}{{ n }}",
    "{% if with.total %}{{ with.total }}{% endif %}",
    "{% if person.a %}{% elsif with.total > 3 and person.b %}{{ with.total }}{% endif %}",
    "{% unless with.total == nil %}{{ with.total }}{% endunless %}",
    "{% case with.total %}{% when 3 %}{{ with.total }}{% endcase %}",
    "{% render 'part', label: with.total %}",
    "{% if with.total %}{% render 'whole' %}{% endif %}",
    "{% render 'careful' %}",
])  # fmt: skip
def test_what_a_template_asks_for_or_can_do_without_may_be_missing(kitchen: Kitchen, text: str) -> None:
    fine(kitchen)
    kitchen.write(t_html=text, whole_html="{{ with.total }}")
    kitchen.file("careful.html", "{% if with.total %}{{ with.total }}{% endif %}")
    if "part" in text:
        kitchen.file("part.html", "{{ label | default: 'none' }}")
    assert told(kitchen, RULE + OTHER) == []


@pytest.mark.parametrize("text", [
    "{{ with.total | default: 3 }}{{ with.total }}",
    "{{ person.total | default: with.total }}",
    "{% if person.total %}{{ with.total }}{% endif %}",
    "{% for x in (1..with.total) %}{% endfor %}",
    "{% render 'whole' %}",
    "{% include 'whole' %}",
])  # fmt: skip
def test_what_it_writes_out_all_the_same_may_not(kitchen: Kitchen, text: str) -> None:
    fine(kitchen)
    kitchen.write(t_html=text, whole_html="{{ with.total }}")
    (found,) = told(kitchen, RULE + OTHER)
    assert found.startswith("r.rules:3:21: error: the template 't' writes out 'with.total'")


def test_templates_in_branches_count(kitchen: Kitchen) -> None:
    fine(kitchen)
    rules = RULE + 'If: trigger.a = 1\n  Action: send_email "branch" to person.email\nEnd:\n'
    assert [one.split(" [")[0] for one in told(kitchen, rules)] == [
        "r.rules:6:23: warning: there is no template 'branch'"
    ]


def test_what_no_rule_names_is_looked_over_but_for_its_arguments(kitchen: Kitchen) -> None:
    fine(kitchen)
    kitchen.write(other_txt="{{ with.anything }}{{ nothing }}", lone_html="{{ x")
    assert [one.split(" [")[0] for one in told(kitchen)] == [
        "lone.html:1:1: error: '{{' is never closed",
        "other.txt:1:23: error: there is no variable 'nothing'; templates know person, trigger, journey, with and "
        "unsubscribe_url",
    ]


def test_a_file_that_is_too_large_or_no_text_is_told(kitchen: Kitchen) -> None:
    fine(kitchen)
    kitchen.limit(file_bytes=8)
    kitchen.write(t_html="123456789")
    kitchen.file("p.html", "").write_bytes(b"\xff")
    assert [one.split("\n")[0] for one in told(kitchen)] == [
        "p.html:1:1: error: the template cannot be read: it is not UTF-8 [template-unreadable]",
        "t.html:1:1: error: a template has at most 8 bytes, and this one 9 [template-unreadable]",
    ]


def test_findings_join_those_of_the_rules(kitchen: Kitchen) -> None:
    fine(kitchen)
    kitchen.write(t_html="{{ x }}{{ y }}")
    kitchen.file("t.pl.txt", "")
    reading = read(RULE, "r.rules")
    joined = looked(kitchen).joined([reading, read("", "other.rules")])
    assert [(one.source.name.split("/")[-1], one.ok, len(one.rules), len(one.diagnostics)) for one in joined] == [
        ("r.rules", True, 1, len(reading.diagnostics) + 1),
        ("other.rules", True, 0, 0),
        ("t.html", False, 0, 2),
    ]


def test_every_code_has_a_meaning() -> None:
    assert all(code.startswith("template-") and one.meaning for code, one in CODES.items())
