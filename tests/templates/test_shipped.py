"""The templates that ship: one for each that the packs name, and nothing to say against any of them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.delivery_settings import TemplateSettings
from engine.language.nodes import Action
from engine.language.walk import walk
from engine.runtime.rulefiles import RuleFiles
from engine.templates.checking import look_over
from engine.templates.rendering import Facts, Rendered, Renderer

ROOT = Path(__file__).parents[2]
SETTINGS = TemplateSettings(folder=ROOT / "templates")
PACKS = RuleFiles((ROOT / "rules",)).load().readings
EXAMPLES = RuleFiles((ROOT / "examples" / "shop", ROOT / "examples" / "service.rules")).load().readings
READINGS = (*PACKS, *EXAMPLES)
NAMED = {
    (node.name, node.template, tuple(name for name, _ in node.arguments))
    for reading in READINGS
    for rule in reading.rules
    for node in walk(rule)
    if isinstance(node, Action)
}
MAILS = ("send_email", "ask_question")
EMPTY = {"area", "base", "br", "hr", "img", "input", "link", "meta"}


class Balanced(HTMLParser):
    """Takes note of tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def rendered(template: str, **variables: object) -> Rendered:
    made = Renderer(SETTINGS).render(template, Facts({"variant": None, **variables}, 0, "https://shop.example/u?a=b&c"))
    assert made is not None
    return made


def test_nothing_is_wrong_or_doubtful() -> None:
    looked = look_over(SETTINGS, READINGS, mails=lambda name: name in MAILS)
    assert [one.render(source) for source, one in looked.findings] == []
    assert looked.files > len(NAMED)


def test_every_template_is_named_by_a_pack_or_an_example() -> None:
    names = {path.name.split(".")[0] for path in (ROOT / "templates").iterdir() if path.is_file()}
    assert names == {template for _, template, _ in NAMED}


@pytest.mark.parametrize(("action", "template", "arguments"), sorted(NAMED), ids=str)
def test_each_is_a_whole_message_with_and_without_what_is_known(
    action: str, template: str, arguments: tuple[str, ...]
) -> None:
    bare = rendered(template, journey={"start": 0})
    full = rendered(
        template,
        person={"first_name": "Ana <3", "name": "Ana", "plan": "free", "phone": "1", "email": "a@b.c"},
        **{"with": dict.fromkeys(arguments, "2026-03-01")},
        journey={"start": 0},
    )
    for made in (bare, full):
        assert made.missing == ()
        assert made.subject
        assert made.text
        assert "\n\n\n" not in made.text
        assert (made.html is not None) == (action in MAILS)
        if made.html is not None:
            page = Balanced()
            page.feed(made.html)
            page.close()
            assert (page.wrong, page.open) == ([], [])
            assert "Ana <3" not in made.html
            assert 'href="https://www.example.com/' in made.html
            assert 'href="https://shop.example/u?a=b&amp;c"' in made.html
            assert "To unsubscribe: https://shop.example/u?a=b&c" in made.text


def test_a_welcome_speaks_the_language_of_the_person() -> None:
    made = Renderer(SETTINGS).render("welcome", Facts({"variant": "pl_PL", "person": {"first_name": "Ola"}}, 0))
    assert made is not None
    assert made.subject == "Witaj, Ola"
    assert made.html is not None
    assert '<html lang="pl">' in made.html
    assert made.text is not None
    assert made.text.startswith("Cześć Ola,\n")
