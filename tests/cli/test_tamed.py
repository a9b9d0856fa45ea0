"""What customers sent never reaches a terminal as it came."""

from __future__ import annotations

import json
import logging
import re

import pytest

from engine.cli.console import Format
from engine.cli.logs import log_to_stderr
from engine.cli.tamed import on_one_line, tamed, tamed_json
from engine.runtime.engine import Engine

EVIL = "\x1b]0;pwned\x07\x1b[2J[red]x[/red]\x9b31m\r\u202e\u2028"
LINES = f"{EVIL}\n2026-01-01 all is well"
TEXT = LINES.replace("\r", "\n")
"""The same as a template writes it."""
SHOWN = "\\x1b]0;pwned\\x07\\x1b[2J[red]x[/red]\\x9b31m\\r\\u202e\\u2028"
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]")
OWN = re.compile(r"\x1b\[(?:[\d;]*[mKA]|\?25[lh])|\r(?=\x1b\[2K|\x1b\[1A|\x1b\[\?25h|log)")
"""Styles, and what a progress bar does."""

RULES = """\
# Greeting
Trigger: signed_up
Action: send_email "hello" to person.email with name = person.first_name
"""
EVENTS = [
    {"type": "identify", "user_id": "ann", "traits": {"first_name": LINES, "email": LINES, LINES: {LINES: LINES}}},
    {"event": "signed_up", "user_id": "ann", "properties": {"plan": LINES, LINES: [LINES]}},
    {"event": EVIL, "user_id": f"bob {EVIL}", "properties": {"plan": LINES}},
    {"event": "signed_up", "user_id": f"bob {EVIL}"},
    {"event": "signed_up", "user_id": "ann", EVIL: 1, "timestamp": LINES},
]
LOG = [
    *({**one, "timestamp": "2026-01-01T10:00:00Z"} for one in EVENTS[:4]),
    EVENTS[4],
    *({**EVENTS[1], "message_id": EVIL, "timestamp": f"2026-01-0{day}T10:00:00Z"} for day in (2, 3)),
]


@pytest.fixture
def hostile(lapse, place):
    """A store in which every value that a customer may choose steers a terminal."""
    (place / "rules").mkdir()
    (place / "rules" / "some.rules").write_text(RULES)
    (place / "templates").mkdir()
    (place / "templates" / "hello.txt").write_text("{{ person.first_name }}\t{{ with.name }}")
    (place / "templates" / "hello.subject").write_text("{{ person.first_name }}")
    (place / "templates" / "hello.html").write_text("{{ person.first_name }}")
    (place / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in LOG))
    assert lapse("rules", "--rules", "rules").code == 0
    with Engine.open("sqlite:///lapse.db") as engine:
        engine.submit([EVENTS[4], {"event": EVIL}], source="segment", quarantine=True).result()
        engine.ingest(EVENTS[:4])
        engine.run_due()
        (sent,) = [one for one in engine.deliveries().items if one.person == "ann"]
        report = {"event": "email_bounced", "user_id": "ann", "caused_by": sent.key}
        engine.ingest({**report, "properties": {"hard": True, "reason": LINES}})


VERBS: list[list[str]] = [
    ["person", "ann"],
    ["person", f"bob {EVIL}"],
    ["person", EVIL],
    ["events"],
    ["events", "--counts", "day"],
    ["deliveries"],
    ["deliveries", "KEY"],
    ["deliveries", "--person", EVIL],
    ["quarantine"],
    ["quarantine", "retry", "--all"],
    ["preview", "hello", "--person", "ann"],
    ["addresses"],
    ["addresses", "forget", EVIL],
    ["types"],
    ["rules"],
    ["doctor"],
    ["ingest", "log.jsonl"],
    ["replay", "log.jsonl", "--rules", "rules"],
    ["erase", f"bob {EVIL}", "--yes"],
]


@pytest.mark.parametrize("coloured", [False, True])
@pytest.mark.parametrize("words", VERBS, ids=lambda words: " ".join(words[:2]).encode("unicode_escape").decode())
def test_no_verb_lets_it_through(lapse, hostile, monkeypatch, words, coloured):
    words = [first_key(lapse) if one == "KEY" else one for one in words]
    if coloured:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    ran = lapse(*words)
    said = OWN.sub("", ran.out + ran.err) if coloured else ran.out + ran.err
    assert not STEERING.search(said), ascii(said)


@pytest.mark.parametrize("words", [
    ["person", "ann"], ["events"], ["deliveries"], ["deliveries", "KEY"], ["quarantine"], ["addresses"],
    ["preview", "hello", "--person", "ann"], ["replay", "log.jsonl", "--rules", "rules"],
])  # fmt: skip
def test_json_says_the_same_escaped(lapse, hostile, words):
    words = [first_key(lapse) if one == "KEY" else one for one in words]
    ran = lapse(*words, "--format", "json")
    assert not STEERING.search(ran.out)
    assert any(EVIL in one for one in texts(ran.json))


def texts(value):
    """Every text in a JSON value."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def first_key(lapse):
    return lapse("deliveries", "--format", "json").json["deliveries"][0]["key"]


def test_values_stand_on_one_line_and_in_full(lapse, hostile):
    keys = [one["key"] for one in lapse("deliveries", "--person", "ann", "--format", "json").json["deliveries"]]
    shown = lapse("deliveries", keys[0]).out
    assert f"first_name = {SHOWN}\\n2026-01-01 all is well" in shown
    assert not [one for one in shown.splitlines() if one.startswith("2026")]
    assert f"  first_name = {SHOWN}\\n2026-01-01 all is well\n" in lapse("person", "ann").out


def test_a_file_has_the_true_bytes(lapse, hostile, place):
    assert "the HTML is in it.html" in lapse("preview", "hello", "--person", "ann", "--output", "it.html").out
    assert (place / "it.html").read_bytes().decode() == TEXT
    assert json.loads(lapse("preview", "hello", "--person", "ann", "--format", "json").out)["text"].endswith(
        f"\t{TEXT}"
    )


@pytest.mark.parametrize("format", list(Format))
def test_a_log_is_tamed_and_one_entry_cannot_look_like_two(capsys, monkeypatch, format):
    before = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        log_to_stderr(format)
        logging.getLogger("lapse").warning("%s", LINES)
    finally:
        logging.getLogger().handlers[:], logging.getLogger().level = before
    said = capsys.readouterr().err
    assert not STEERING.search(said)
    if format is Format.TEXT:
        assert SHOWN in said
        assert "\n    2026-01-01 all is well" in said
    else:
        started, entry = said.splitlines()
        assert json.loads(started)["message"].endswith("starts")
        assert json.loads(entry)["message"] == LINES


def test_what_steers_nothing_stays():
    kind = "Zażółć 👩\u200d💻 5\u00a0€\tand \\x1b"
    assert tamed(f"{kind}\n") == f"{kind}\n"
    assert on_one_line(kind) == kind.replace("\t", "\\t")
    assert json.loads(tamed_json(json.dumps({kind: EVIL}, ensure_ascii=False))) == {kind: EVIL}
