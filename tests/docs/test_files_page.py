"""The page on files names every option, preset and key there is, and its preset is read."""

from __future__ import annotations

import re

from engine.files.reading import ALL_FIELDS, BODIES, Reading, Shape, TimeUnit, Unknown, preset_names, read_preset
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "files.md").read_text()


def rows(heading: str) -> list[str]:
    """The first cell of each row of the first table behind a line."""
    table = PAGE.split(heading, 1)[1].split("\n\n|", 1)[1].split("\n\n", 1)[0]
    return [line.split("|")[0].strip().strip("`") for line in table.replace("\n| ", "\n").splitlines()[2:]]


def test_every_preset_is_listed() -> None:
    assert [row.strip("`") for row in rows("## Presets")] == preset_names()


def test_every_key_of_a_preset_is_named() -> None:
    assert rows("**One of your own**") == list(Shape.model_fields)
    rest = PAGE.split("Beside the shapes a preset may hold", 1)[1]
    assert set(re.findall(r"`(\w+)`", rest)) >= set(Reading.model_fields) - {"shapes"}


def test_every_field_and_word_is_named() -> None:
    for word in (*ALL_FIELDS, *BODIES, *TimeUnit, *Unknown):
        assert f"`{word}" in PAGE


def test_the_example_is_a_preset() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    assert len(read_preset(text, "page").shapes) == 3
