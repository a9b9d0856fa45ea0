"""Templates that would make too much, or take too long."""

from __future__ import annotations

import pytest

from engine.templates.dialect import DEPTH
from engine.templates.faults import TemplateError
from tests.stopwatch import processor_at_most

from .conftest import Kitchen

BOMBS = {
    "a doubling text": "{% assign a = 'abcdefgh' %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}",
    "a text of texts": "{% assign a = 'aa' %}{% for i in (1..9) %}{% assign a = a | replace: 'a', a %}{% endfor %}",
    "joined by much": "{% assign a = person.long %}{{ (1..9999) | join: a }}",
    "a growing number": "{% assign a = 9 %}{% for i in (1..100) %}{% assign a = a | times: a %}{% endfor %}",
    "a doubling list": "{% assign a = '1,2' | split: ',' %}"
    "{% for i in (1..40) %}{% assign a = a | concat: a %}{% endfor %}",
    "a list of long texts": "{% assign a = person.long | split: '§' %}{% for i in (1..12) %}"
    "{% assign a = a | concat: a %}{% endfor %}{{ a }}",
    "a long range backwards": "{% for i in (1..10000000000) reversed %}{% endfor %}",
    "a long range in a filter": "{{ (1..10000000000) | join }}",
    "a long range searched": "{% if (1..10000000000) contains 'x' %}{% endif %}",
    "a range without end": "{% for i in (1..99999999999999999999999999) %}{% endfor %}",
    "loops in loops": "{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}",
    "loops in templates in loops": "{% for i in (1..1000) %}{% render 'loop' %}{% endfor %}",
    "a table in a loop": "{% for i in (1..1000) %}{% tablerow j in (1..1000) %}{% endtablerow %}{% endfor %}",
    "a template in itself": "{% render 't' %}",
    "a template included in itself": "{% include 't' %}",
    "templates that double": "{% render 'd0' %}",
    "much captured": "{% capture a %}{% for i in (1..9999) %}{{ person.long }}{% endfor %}{% endcapture %}",
    "much written": "{% for i in (1..9999) %}{{ person.long }}{% endfor %}",
    "filters without a word": "{% for i in (1..9999) %}{% assign a = person.long | split: 'a' | uniq | sort | reverse "
    "| join: 'a' | escape | strip_html | url_encode | size %}{% endfor %}",
    "conditions without a word": "{% for i in (1..9999) %}{% if person.long contains 'b' or person.long contains 'c' "
    "or person.long contains 'd' or person.long contains 'e' %}{% endif %}{% endfor %}" * 20,
    "tags never closed": "{% for i in (1..9999) %}{% assign a = person.angles | strip_html %}{% endfor %}",
    "scripts never closed": "{% for i in (1..9999) %}{% assign a = person.scripts | strip_html %}{% endfor %}",
}
PERSON = {"long": "a" * 9_000, "angles": "<" * 9_000, "scripts": "<script " * 1_000}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_what_makes_too_much_is_stopped(kitchen: Kitchen, text: str) -> None:
    kitchen.limit(milliseconds=100)
    kitchen.file("loop.txt", "{% for i in (1..1000) %}{% endfor %}")
    for number in range(DEPTH - 2):
        kitchen.file(f"d{number}.txt", f"{{% render 'd{number + 1}' %}}{{% render 'd{number + 1}' %}}")
    kitchen.file(f"d{DEPTH - 2}.txt", "")
    with processor_at_most(2), pytest.raises(TemplateError) as caught:
        kitchen.text(text, person=PERSON)
    assert caught.value.diagnostic.code == "template-limit"


def test_output_may_have_as_many_bytes_as_the_setting_says(kitchen: Kitchen) -> None:
    kitchen.limit(output_bytes=6)
    kitchen.write(t_subject="żó", t_txt="ab")
    made = kitchen.render()
    assert made is not None
    assert made.text == "ab"
    with pytest.raises(TemplateError, match=r"makes more bytes than '\[templates\] output_bytes' allows"):
        kitchen.text("abc")


def test_a_loop_goes_round_as_often_as_the_setting_says(kitchen: Kitchen) -> None:
    kitchen.limit(loops=6)
    assert kitchen.text("{% for i in (1..6) %}.{% endfor %}") == "......"
    assert kitchen.text("{% for i in (1..2) %}{% for j in (1..3) %}.{% endfor %}{% endfor %}") == "......"
    for text in (
        "{% for i in (1..7) %}{% endfor %}",
        "{% for i in (1..2) %}{% for j in (1..4) %}{% endfor %}{% endfor %}",
        "{{ 'abcdefg' | split: '' }}",
    ):
        with pytest.raises(TemplateError, match="it goes round more than 6 times"):
            kitchen.text(text)


def test_time_is_the_threads_own_and_ends_with_the_setting(kitchen: Kitchen) -> None:
    slow = "{% for i in (1..9999) %}{% assign a = person.long | split: 'a' | size %}{% endfor %}"
    kitchen.limit(milliseconds=50)
    with pytest.raises(TemplateError, match="it takes longer than 50 milliseconds"):
        kitchen.text(slow, person=PERSON)
    kitchen.limit(milliseconds=60_000)
    assert kitchen.text(slow.replace("9999", "20"), person=PERSON) == ""


def test_templates_take_in_one_another_so_deep(kitchen: Kitchen) -> None:
    for number in range(DEPTH + 2):
        kitchen.file(f"n{number}.txt", f"{{% render 'n{number + 1}' %}}")
    kitchen.file(f"n{DEPTH + 1}.txt", "end")
    assert kitchen.text("{% render 'n1' %}") == "end"
    with pytest.raises(TemplateError, match=f"more than {DEPTH} deep"):
        kitchen.text("{% render 'n0' %}")


@pytest.mark.parametrize(
    "text",
    ["{% if x %}" * 31 + "{% endif %}" * 31, "{{ x" + "[x" * 3_000 + "]" * 3_000 + " }}",
     "{% if " + "a and " * 5_000 + "a %}{% endif %}"],
    ids=["blocks", "brackets", "conditions"],
)  # fmt: skip
def test_what_stands_too_deep_in_itself_is_refused(kitchen: Kitchen, text: str) -> None:
    with pytest.raises(TemplateError) as caught:
        kitchen.text(text)
    assert caught.value.diagnostic.code == "template-limit"
