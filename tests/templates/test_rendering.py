"""What templates make of variables."""

from __future__ import annotations

import threading
import time

import pytest

from engine.templates.faults import TemplateError

from .conftest import Kitchen

EVERYWHERE = {
    "{{ with.discount }}": "20",
    "{{ with['discount'] }}": "20",
    "{{ with.limit }}{{ trigger.limit }}{{ person.limit }}{{ person.for }}": "3104x",
    "{{ 1 | plus: with.limit }}": "4",
    "{{ 'a' | append: with.limit, }}": "a3",
    "{{ person.tags[with.nothing] }}": "",
    "{{ 'with.limit' }}": "with.limit",
    '{{ "with.limit" | upcase }}': "WITH.LIMIT",
    "with.limit": "with.limit",
    "{% raw %}{{ with.limit }}{% endraw %}": "{{ with.limit }}",
    "{% if with.limit > 2 and with.limit < 4 %}yes{% endif %}": "yes",
    "{% if 3 == with.limit %}yes{% endif %}": "yes",
    "{% unless with.limit %}{% else %}yes{% endunless %}": "yes",
    "{% if false %}{% elsif with.limit == 3 %}yes{% endif %}": "yes",
    "{% case with.limit %}{% when with.limit %}yes{% endcase %}": "yes",
    "{% for i in (1..with.limit) %}{{ i }}{% endfor %}": "123",
    "{% for i in (1..9) limit: with.limit offset: with.limit %}{{ i }}{% endfor %}": "456",
    "{% for i in (1..9) limit: 2 %}{{ i }}{% endfor %}": "12",
    "{% assign x = with.limit %}{{ x }}": "3",
    "{% capture x %}{{ with.limit }}{% endcapture %}{{ x }}": "3",
    "{% echo with.limit %}": "3",
    "{% cycle with.limit, 2 %}": "3",
    "{% liquid\n assign x = with.limit\n echo x\n%}": "3",
    "{% ifchanged %}{{ with.limit }}{% endifchanged %}": "3",
    "{% tablerow i in (1..with.limit) %}{% endtablerow %}": '<tr class="row1">\n<td class="col1"></td><td class="col2">'
    '</td><td class="col3"></td></tr>\n',
    "{% render 'part' with with.limit as n %}": "(3)",
    "{% render 'part', n: with.limit %}": "(3)",
    "{% render 'part' for person.tags as n %}": "(a)(b)",
    "{% include 'part' with with.limit as n %}": "(3)",
    "{% include 'part', n: with.limit %}": "(3)",
    "{{ person.first-name }}": "",
}


@pytest.mark.parametrize("text", EVERYWHERE)
def test_arguments_and_keywords_are_names_wherever_values_stand(kitchen: Kitchen, text: str) -> None:
    kitchen.file("part.txt", "({{ n }})")
    assert kitchen.text(text) == EVERYWHERE[text]


def test_what_is_unknown_is_empty_and_noted(kitchen: Kitchen) -> None:
    kitchen.write(t_txt="{{ person.nick }}{{ trigger.a.b | upcase }}{{ persn.x }}{{ person.tags[7] }}.")
    made = kitchen.render()
    assert made is not None
    assert made.text == "."
    assert made.missing == ("person.nick", "trigger.a.b", "persn.x", "person.tags.7")


def test_what_has_a_default_is_not_missing(kitchen: Kitchen) -> None:
    kitchen.write(
        t_txt="{{ person.nick | default: 'there' }}{% if person.nick %}!{% endif %}{% if person.age > 3 %}!{% endif %}"
    )
    made = kitchen.render()
    assert made is not None
    assert (made.text, made.missing) == ("there", ())


def test_an_attribute_that_was_taken_away_is_empty(kitchen: Kitchen) -> None:
    assert kitchen.text("[{{ person.nick }}]", person={"nick": None}) == "[]"


def test_the_link_that_ends_the_subscription_is_there_when_it_is_known(kitchen: Kitchen) -> None:
    kitchen.write(t_html="<a href='{{ unsubscribe_url }}'>")
    with_url, without = kitchen.render(url="https://x.example/u?a=1&b=2"), kitchen.render()
    assert with_url is not None
    assert without is not None
    assert with_url.html == "<a href='https://x.example/u?a=1&amp;b=2'>"
    assert (without.html, without.missing) == ("<a href=''>", ("unsubscribe_url",))


def test_the_variables_of_a_match_may_lack_all(kitchen: Kitchen) -> None:
    assert kitchen.text("[{{ trigger.x }}{{ with.x }}{{ journey.x }}]", trigger=None, journey=None) == "[]"


def test_moments_of_the_journey_are_iso(kitchen: Kitchen) -> None:
    assert kitchen.text("{{ journey.start }} {{ journey.moment }} {{ journey.rule }} {{ journey.step }}") == (
        "2026-03-01T21:30:00Z 2026-03-01T22:30:00Z cart 2"
    )


DATES = {
    "{{ journey.start | date: '%Y-%m-%d %H:%M' }}": "2026-03-01 21:30",
    "{{ journey.start | time_zone: 'Europe/Warsaw' | date: '%H:%M' }}": "22:30",
    "{{ journey.start | time_zone: 'Europe/Warsaw' }}": "2026-03-01T22:30:00+01:00",
    "{{ journey.start | time_zone: 'Mars/Olympus' | date: '%H' }}": "21",
    "{{ journey.start | time_zone: person.zone | date: '%H' }}": "21",
    "{{ journey.start | time_zone: '../../etc/passwd' | date: '%H' }}": "21",
    "{{ 'now' | date: '%Y-%m-%dT%H:%M' }}": "2026-03-01T22:30",
    "{{ 'today' | date: '%A' }}": "Sunday",
    "{{ 'now' | time_zone: 'Asia/Tokyo' | date: '%d' }}": "02",
    "{{ now }}{{ today }}": "",
    "{{ '2026-07-01' | date: '%-d %B %Y' }}": "1 July 2026",
    "{{ '2026-07-01T09:05' | date: '%-m %d %-I:%M %-j' }}": "7 01 9:05 182",
    "{{ '2026-07-01T10:00:00+02:00' | date: '%H %z' }}": "10 +0200",
    "{{ '2026-07-01 10:00' | date: '%H' }}": "10",
    "{{ 86400 | date: '%Y-%m-%d' }}": "1970-01-02",
    "{{ '86400' | date: '%Y-%m-%d' }}": "1970-01-02",
    "{{ 10 | date: '%H' }}": "00",
    "{{ '10' | date: '%H' }}": "00",
    "{{ 'March' | date: '%d' }}": "March",
    "{{ 'tomorrow' | date: '%d' }}": "tomorrow",
    "{{ '2026-02-31' | date: '%d' }}": "2026-02-31",
    "{{ 99999999999999999 | date: '%d' }}": "99999999999999999",
    "{{ '0001-01-01' | time_zone: 'America/New_York' }}": "0001-01-01",
    "{{ '9999-12-31T23:00' | time_zone: 'Asia/Tokyo' }}": "9999-12-31T23:00",
    "{{ '0001-01-01' | date: '%d.%m.' }}": "01.01.",
    "{{ true | date: '%d' }}": "true",
    "{{ person.nothing | date: '%d' }}": "",
    "{{ '2026-07-01' | date }}": "2026-07-01",
    "{{ '2026-07-01' | date: person.nothing }}": "2026-07-01",
}


@pytest.mark.parametrize("text", DATES)
def test_dates_need_no_clock(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert kitchen.text(text) == DATES[text]
    finally:
        monkeypatch.undo()
        time.tzset()


FILTERS = {
    "{{ 'b,a,b' | split: ',' | uniq | join: '' }}": "ba",
    "{{ person.list | uniq: 'a' | map: 'b' | join: '' }}": "12",
    "{{ person.list | json }}": '[{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 3}]',
    "{{ 'zażółć' | json }}": '"zażółć"',
    "{{ '<p>Hello <b>you</b><script>a < b</script><style>x</style><!-- <i> --> 1 < 2' | strip_html }}": (
        "Hello you 1 < 2"
    ),
    "{{ '<SCRIPT>x</Script>a<br/>b' | strip_html }}": "ab",
    "{{ '<script>a' | strip_html }}": "a",
}


@pytest.mark.parametrize("text", FILTERS)
def test_filters_of_our_own(kitchen: Kitchen, text: str) -> None:
    many = [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 3}]
    assert kitchen.text(text, person={"list": many}) == FILTERS[text]


def test_a_subject_is_one_line(kitchen: Kitchen) -> None:
    kitchen.write(t_subject="\n Hello\r\nBcc: x@example.com\u2028{{ person.nick }}\x00 you \n", t_txt="")
    made = kitchen.render(person={"nick": "a\tb\x85\n\nc 👩‍🚀"})
    assert made is not None
    assert made.subject == "Hello Bcc: x@example.com a b c 👩‍🚀 you"


def test_the_same_values_give_the_same_bytes(kitchen: Kitchen) -> None:
    text = "{{ 'now' | date: '%s' }}{{ person | json }}{% for x in person %}{{ x[0] }}{% endfor %}"
    assert len({kitchen.text(text) for _ in range(3)}) == 1


def test_many_threads_may_render_at_once(kitchen: Kitchen) -> None:
    kitchen.write(t_txt="{% assign x = person.n %}{% for i in (1..50) %}{{ x }},{% endfor %}")
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(5):
            made = kitchen.render(person={"n": number})
            if made is None or made.text != f"{number}," * 50:
                wrong.append(made)

    threads = [threading.Thread(target=work, args=(one,)) for one in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


FAULTS = {
    "{{ person.first_name": "t.txt:1:1: '{{' is never closed; write '}}' behind the variable",
    "a\n  {% if person.plan %}": "t.txt:2:6: 'if' is never closed; write {% endif %} where it ends",
    "{% for x in person.tags %}{% if x %}{% endfor %}": "t.txt:1:40: 'endfor' belongs to nothing that is open here; "
    "a block begins and ends in the same template",
    "{% foor x in y %}": "t.txt:1:4: there is no tag 'foor'; did you mean 'for'?",
    "{{ person.plan | upcas }}": "t.txt:1:18: there is no filter 'upcas'; did you mean 'upcase'?",
    "{{ 1 | divided_by: 0 }}": "t.txt:1:1: the filter 'divided_by' cannot work with what it is given",
    "{% if person.plan > 3 %}{% endif %}": "t.txt:1:19: values of different kinds cannot be compared",
    "{% render 'nowhere' %}": "t.txt:1:11: there is no template 'nowhere.txt' to take in; "
    "it is a file beside the others, of the same kind as this one",
    "{% render '../t' %}": "t.txt:1:11: there is no template '../t.txt' to take in; "
    "it is a file beside the others, of the same kind as this one",
    "{% render person.plan %}": "t.txt:1:11: a template is taken in by its name, in quotes; "
    "write it like {% render 'footer' %}",
    "{% include person.plan %}": "t.txt:1:12: a template is taken in by its name, in quotes; "
    "write it like {% render 'footer' %}",
    "{% break %}": "t.txt:1:4: 'break' stands in no loop",
    "{{ with }}": "t.txt:1:4: 'with' by itself is no value; name an argument of the rule, as in with.discount",
    "\n{% include 'broken' %}": "broken.txt:2:3: something is missing here; "
    "between the signs stands a variable: {{ person.first_name }}",
    "{% include 'failing' %}": "failing.txt:2:3: the filter 'divided_by' cannot work with what it is given",
}


@pytest.mark.parametrize("text", FAULTS)
def test_what_cannot_be_rendered_is_told_with_file_and_line(kitchen: Kitchen, text: str) -> None:
    kitchen.file("broken.txt", "\n  {{ }}")
    kitchen.file("failing.txt", "\n  {{ 1 | divided_by: 0 }}")
    with pytest.raises(TemplateError) as caught:
        kitchen.text(text)
    assert str(caught.value) == f"{kitchen.folder}/{FAULTS[text]}"


def test_an_error_quotes_no_value(kitchen: Kitchen) -> None:
    for text in (
        "{{ 3 | divided_by: person.secret }}",
        "{{ person.secret | sort: 3 | concat: 3 }}",
        "{{ 'x' | slice: person.secret }}",
    ):
        with pytest.raises(TemplateError) as caught:
            kitchen.text(text, person={"secret": "ana@example.com"})
        assert "ana@" not in str(caught.value)
