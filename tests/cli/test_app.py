"""What all verbs have in common: help, version, errors."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from engine.cli.app import command
from engine.cli.verbs import VERBS as TABLE
from engine.version import VERSION

VERBS = tuple(verb.name for verb in TABLE)
HEAVY = {
    "alembic",
    "apscheduler",
    "fastapi",
    "jsonschema_rs",
    "lark",
    "liquid",
    "orjson",
    "pydantic",
    "rich",
    "sqlalchemy",
}


def test_help_names_every_verb(lapse):
    ran = lapse("--help")
    assert ran.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in ran.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help_page_with_an_example(lapse, verb):
    ran = lapse(verb, "--help")
    assert ran.code == 0
    assert f"  lapse {verb}" in ran.out
    assert "Options:" in ran.out


@pytest.mark.parametrize("verb", TABLE, ids=lambda verb: verb.name)
def test_the_help_page_says_what_the_verb_itself_says(verb):
    assert verb.summary == command(verb).get_short_help_str(1_000).rstrip(".")


def test_version(lapse):
    ran = lapse("--version")
    assert ran.code == 0
    assert ran.out == f"lapse {VERSION}\n"


def loaded_by(*arguments):
    """The modules that a command has imported when it ends, in a process of its own."""
    program = (
        "import sys, atexit, json; sys.argv[0] = 'lapse'\n"
        "atexit.register(lambda: sys.stderr.write(json.dumps(sorted(sys.modules))))\n"
        "from engine.cli import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert ran.stdout
    return set(json.loads(ran.stderr))


def test_the_version_is_told_without_loading_anything():
    loaded = loaded_by("--version")
    assert {one for one in loaded if one.partition(".")[0] == "engine"} == {"engine", "engine.cli", "engine.version"}
    assert not loaded & {"typer", *HEAVY}


def test_the_help_page_loads_no_verb():
    loaded = loaded_by("--help")
    assert not loaded & {f"engine.cli.{verb.module}" for verb in TABLE}
    assert not loaded & HEAVY


def test_a_verb_loads_no_other_verb():
    loaded = loaded_by("check", "--help")
    assert {verb.name for verb in TABLE if f"engine.cli.{verb.module}" in loaded} == {"check"}


def test_an_unknown_verb_is_refused(lapse):
    ran = lapse("rnu")
    assert ran.code == 2
    assert "'run'" in ran.err


def test_wrong_settings_are_told_without_a_traceback(lapse, place):
    (place / "lapse.toml").write_text('stroe = "sqlite:///x.db"\n')
    ran = lapse("rules")
    assert ran.code == 2
    assert "did you mean 'store'?" in ran.err
    assert "Traceback" not in ran.err


def test_a_store_that_cannot_be_opened_is_told_without_a_traceback(lapse, place):
    ran = lapse("rules", "--store", f"sqlite:///{place}/absent/lapse.db")
    assert ran.code == 2
    assert ran.err.startswith("error: ") or "\nerror: " in ran.err
    assert "Traceback" not in ran.err
