"""The table of extras says what ``pyproject.toml`` says, and the base install holds what its features import."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.extras import EXTRAS, Extra, lacking, require

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
FOR_DEVELOPMENT = "dev"


def distributions(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", one, maxsplit=1)[0].lower() for one in requirements}


def test_the_table_has_every_extra() -> None:
    assert {extra.name for extra in EXTRAS} == set(PROJECT["optional-dependencies"]) - {FOR_DEVELOPMENT}


@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra.name)
def test_an_extra_names_the_modules_of_its_packages(extra: Extra) -> None:
    packages = importlib.metadata.packages_distributions()
    named = {packages[module][0].lower().replace("_", "-") for module in extra.modules}
    assert named == distributions(PROJECT["optional-dependencies"][extra.name])


@pytest.mark.parametrize(
    ("extra", "module"), [(extra, module) for extra in EXTRAS for module in extra.modules], ids=str
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    extra: Extra, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lacking(extra) is None
    require(extra)
    monkeypatch.setitem(sys.modules, module, None)
    expected = f"{extra.feature} needs '{module}', which is not installed: pip install 'lapse[{extra.name}]'"
    assert lacking(extra) == expected
    with pytest.raises(ConfigError) as caught:
        require(extra)
    assert str(caught.value) == expected
