"""Values that would like to be more than values."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from liquid import Environment

from engine.templates.dialect import Dialect
from engine.templates.faults import TemplateError

from .conftest import Kitchen

HOSTILE = [
    "{{ 7 | times: 7 }}",
    "{% assign x = 1 %}{{ x }}",
    "{% for i in (1..9999999) %}{% endfor %}",
    "{% include 'secret' %}",
    "{% render 'secret' %}",
    "{% raw %}",
    "{% endraw %}{{ person }}",
    "{{ unsubscribe_url }}",
    "}}{{ 1 | plus: 1 }}",
    "%}{% if true %}",
    "{%- comment -%}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '" onmouseover="alert(1)',
    "<!--",
    "]]>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "%3Cscript%3E",
    "PHNjcmlwdD4=",
    "\u003cscript>",
    "＜script＞",
    "javascript:alert(1)",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{7*7}}",
    "__class__",
    "x\0<b>",
    "<b\n>",
]


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, tuple(name for name, _ in attrs)))


@pytest.mark.parametrize("value", HOSTILE)
def test_values_are_never_rendered_again(kitchen: Kitchen, value: str) -> None:
    kitchen.file("secret.txt", "SECRET")
    kitchen.file("part.txt", "{{ person.name }}")
    person = {"name": value, "list": [value], "map": {value: value}}
    for text in (
        "{{ person.name }}",
        "{{ person.list[0] }}",
        "{{ person.map[person.name] }}",
        "{% assign x = person.name %}{% capture y %}{{ x }}{% endcapture %}{{ y }}",
        "{% render 'part', person: person %}",
        "{% include 'part' %}",
    ):
        assert kitchen.text(text, person=person) == value


@pytest.mark.parametrize("value", HOSTILE)
def test_in_html_a_value_makes_neither_tags_nor_attributes(kitchen: Kitchen, value: str) -> None:
    kitchen.file("part.html", "<u>{{ x }}</u>")
    page = kitchen.html(
        '<p title="{{ person.name }}" lang=\'{{ person.name }}\'>{{ person.name }}</p><a href="{{ person.name }}">x</a>'
        "{% for one in person.list %}<i>{{ one }}</i>{% endfor %}<b>{{ person }}</b>"
        "{% render 'part', x: person.name %}",
        person={"name": value, "list": [value]},
    )
    assert Tags(page).seen == [("p", ("title", "lang")), ("a", ("href",)), ("i", ()), ("b", ()), ("u", ())]


ARGUMENTS = {
    "append": ": person.x", "prepend": ": person.x", "replace": ": 'a', person.x", "replace_first": ": 'a', person.x",
    "replace_last": ": 'a', person.x", "remove": ": 'a'", "remove_first": ": 'a'", "remove_last": ": 'a'",
    "default": ": person.x", "join": ": person.x", "truncate": ": 30, person.x", "truncatewords": ": 3, person.x",
    "split": ": person.y", "slice": ": 0, 99", "date": ": person.x", "time_zone": ": person.x",
    "concat": ": person.list",
    "map": ": 'a'", "where": ": 'a'", "reject": ": 'a'", "find": ": 'a'", "find_index": ": 'a'", "has": ": 'a'",
    "at_most": ": 1", "at_least": ": 1", "plus": ": 1", "minus": ": 1", "times": ": 1",
    "divided_by": ": 1", "modulo": ": 1",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted((set(Environment().filters) | {"json", "time_zone"}) - {"safe"}))
@pytest.mark.parametrize("value", ["<script>a</script>", "%3Cscript%3E", "PHNjcmlwdD4=", "&lt;script&gt;", "a"])
def test_no_filter_takes_the_escaping_away(kitchen: Kitchen, name: str, value: str) -> None:
    person = {"x": value if value != "a" else "<script>a", "y": "<", "list": [value, "<script>"]}
    kitchen.limit(milliseconds=5_000)
    for source in ("person.x", "person.list", "'a'", "person.x | url_encode", "person.x | escape"):
        text = f"{{{{ {source} | {name}{ARGUMENTS.get(name, '')} }}}}"
        try:
            made = kitchen.html(text, person=person)
        except TemplateError:
            continue  # the filter is not for values of this kind
        assert not re.search(r"<(?!br />)", made), (text, made)


def test_safe_writes_a_value_as_it_is(kitchen: Kitchen) -> None:
    assert kitchen.html("{{ person.name | safe }}") == "<b>&\"'"


def test_text_and_subject_are_not_escaped(kitchen: Kitchen) -> None:
    kitchen.write(t_subject="{{ person.name }}", t_txt="{{ person.name }}")
    made = kitchen.render()
    assert made is not None
    assert (made.subject, made.text) == ("<b>&\"'", "<b>&\"'")


def test_no_tag_and_no_filter_reads_files_or_the_environment() -> None:
    dialect = Dialect(escapes=True, partial=lambda _: pytest.fail("nothing is taken in"))
    assert not set(dialect.filters) & {"t", "translate", "stylesheet_tag", "script_tag", "index", "datetime"}
    assert set(dialect.tags) - {"content", "output", "illegal"} == {
        "if", "comment", "unless", "case", "for", "break", "continue", "tablerow", "capture", "cycle", "assign",
        "increment", "decrement", "echo", "liquid", "include", "render", "ifchanged", "#", "doc",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path", ["__class__", "x.__class__.__mro__", "list.append", "x.format", "x.__len__", "keys", "items"]
)
def test_nothing_of_python_can_be_reached(kitchen: Kitchen, path: str) -> None:
    assert kitchen.text(f"[{{{{ person.{path} }}}}]", person={"x": "a", "list": [1]}) == "[]"
