"""``lapse deliveries`` and ``lapse redrive``."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import sqlite3
import subprocess
import sys

import pytest

from engine.delivery.channels import SendError
from engine.runtime.engine import Engine

RULES = """\
Rule: one
Trigger: a
Action: hello "greeting" to person.email

Rule: two
Trigger: a
Action: goodbye
Holdout: 100%
"""
MAIL = b"Subject: Welcome\nTo: a@b.c\n\nwords"


@pytest.fixture
def down(place):
    """Two people to whom `hello` could not be said."""
    (place / "some.rules").write_text(RULES)
    with Engine.open("sqlite:///lapse.db", rules="some.rules") as engine:

        @engine.action("hello")
        def refuse(_action):
            raise SendError("nobody is there", permanent=True)

        for user in ("ann", "bob"):
            traits = {"email": f"{user}@example.com"}
            engine.ingest({"type": "identify", "user_id": user, "traits": traits})
            engine.ingest({"event": "a", "user_id": user, "properties": {"plan": "free"}})
        engine.run_due()


def keys(lapse, *filters):
    return [one["key"] for one in lapse("deliveries", "--format", "json", *filters).json["deliveries"]]


def test_the_newest_come_first_in_plain_words(lapse, down):
    ran = lapse("deliveries")
    assert ran.code == 0
    heads, details = ran.out.splitlines()[::2], ran.out.splitlines()[1::2]
    assert [one.split("  ")[1:] for one in heads] == [
        ["two", "bob", "goodbye"],
        ["one", "bob", 'hello "greeting" through python'],
        ["two", "ann", "goodbye"],
        ["one", "ann", 'hello "greeting" through python'],
    ]
    assert details[0].startswith("  suppressed: in the comparison group  act_")
    assert details[1].startswith("  dead; 1 attempt; nobody is there  act_")


def test_filters_and_pages(lapse, down):
    assert len(keys(lapse)) == 4
    dead = keys(lapse, "--dead")
    assert len(dead) == 2
    assert keys(lapse, "--state", "dead, sent") == keys(lapse, "--rule", "one") == dead
    assert keys(lapse, "--channel", "python", "--person", "ann") == keys(lapse, "--action", "hello")[1:]
    first = lapse("deliveries", "--dead", "--limit", "1", "--format", "json").json
    assert f"--after {first['after']}" in lapse("deliveries", "--dead", "--limit", "1").out
    assert keys(lapse, "--dead", "--after", first["after"]) == dead[1:]
    assert lapse("deliveries", "--person", "nobody").out == "no deliveries\n"
    ran = lapse("deliveries", "--state", "deda")
    assert (ran.code, ran.err) == (2, "error: 'deda' is no state of an action here; did you mean 'dead'?\n")


@pytest.mark.parametrize(("words", "told"), [
    (("--rule", "oen"), "there is no rule 'oen'; did you mean 'one'?"),
    (("--action", "helo"),
     "nothing was found, and the settings and the live rules know no action 'helo'; did you mean 'hello'?"),
    (("--dead", "--channel", "pyton"),
     "nothing was found, and the settings know no channel 'pyton'; did you mean 'python'?"),
])  # fmt: skip
@pytest.mark.parametrize("format", ["text", "json"])
def test_a_name_that_nothing_has_is_told(lapse, down, words, told, format):
    ran = lapse("deliveries", *words, "--format", format)
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {told}\n")


def test_one_by_its_key(lapse, down):
    key = keys(lapse, "--dead")[0]
    ran = lapse("deliveries", key)
    assert ran.code == 0
    for told in (key, "dead", "bob@example.com", "nobody is there", "plan = free", "first sent"):
        assert told in ran.out
    assert lapse("deliveries", key, "--format", "json").json["variables"]["to"] == "bob@example.com"
    assert lapse("deliveries", "act_unknown").err == "no action has the key 'act_unknown'\n"
    assert lapse("deliveries", "act_unknown").code == 1
    assert lapse("deliveries", key, "--rule", "one").code == 2


def test_a_sealed_mail_is_told_by_its_subject_and_size(lapse, down, place):
    with sqlite3.connect(place / "lapse.db") as store:
        store.execute("UPDATE outbox SET body = ? WHERE name = 'hello'", (MAIL,))
    store.close()
    ran = lapse("deliveries", keys(lapse, "--dead")[0])
    assert f"email, {len(MAIL)} bytes" in ran.out
    assert "Welcome" in ran.out
    assert "words" not in ran.out


def test_what_is_dead_is_taken_up_again(lapse, down):
    one, other = keys(lapse, "--dead")
    assert lapse("redrive", one, "--dry-run").out == "1 action would be taken up again\n"
    assert keys(lapse, "--dead") == [one, other]
    assert lapse("redrive", one).out == "1 action taken up again\n"
    assert "failed; 1 attempt; next " in lapse("deliveries", "--state", "failed").out
    ran = lapse("redrive", one, "act_unknown")
    assert ran.code == 1
    assert ran.out == "0 actions taken up again\n2 keys of nothing that is dead and may leave\n"
    assert lapse("redrive", "--channel", "log").out == "0 actions taken up again\n"
    assert lapse("redrive", "--rule", "one").out == "1 action taken up again\n"
    assert lapse("redrive", "--all", "--state", "parked", "--state", "dead").out == "0 actions taken up again\n"


def test_it_must_be_said_what_is_taken_up(lapse, down):
    for words in ((), ("--all", "--rule", "one"), ("--all", "act_1")):
        ran = lapse("redrive", *words)
        assert (ran.code, ran.out) == (2, "")
    ran = lapse("redrive", "--rule", "oen")
    assert ran.err == "error: there is no rule 'oen'; did you mean 'one'?\n"
    assert lapse("redrive", "--all", "--state", "sent").code == 2


def test_programs_are_told_in_one_document(lapse, down, process):
    one, _ = keys(lapse, "--dead")
    as_json = ("--format", "json")
    assert lapse("redrive", "--all", "--dry-run", *as_json).json == {"redriven": 2, "dry_run": True, "missing": 0}
    ran = lapse("redrive", one, one, "act_unknown", *as_json)
    assert (ran.code, ran.json) == (1, {"redriven": 1, "dry_run": False, "missing": 1})
    ran = process("redrive", "--all", *as_json)
    assert (ran.code, ran.err, ran.json) == (0, "", {"redriven": 1, "dry_run": False, "missing": 0})
    assert keys(lapse, "--dead") == []


def test_a_question_is_no_part_of_the_document(lapse, down):
    told, beside = with_a_terminal_beside("redrive", "--all", "--format", "json", answer=b"y\n")
    assert json.loads(told) == {"redriven": 2, "dry_run": False, "missing": 0}
    assert "Take up 2 actions again?" in beside
    told, beside = with_a_terminal_beside("redrive", "--all", "--state", "sent", "--format", "json")
    assert (told, beside.startswith("error: 'sent' is no state")) == ("", True)


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 2), (b"y\n", 0)])
def test_at_a_terminal_it_asks_before_it_takes_up_more_than_one(lapse, down, answer, left):
    told = at_a_terminal("redrive", "--all", answer=answer)
    assert "Take up 2 actions again?" in told
    assert len(keys(lapse, "--dead")) == left


def test_yes_does_not_ask(lapse, down):
    assert at_a_terminal("redrive", "--all", "--yes") == "2 actions taken up again\r\n"


def at_a_terminal(*words, answer=b""):
    """What the command prints where somebody could answer."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "engine.cli", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        os.write(ours, answer)
        told = b""
        with contextlib.suppress(OSError):  # how a terminal says that nobody is left on its other side
            while more := os.read(ours, 1024):
                told += more
    os.close(ours)
    return told.decode()


def with_a_terminal_beside(*words, answer=b""):
    """What the command prints into a file, and where somebody could answer."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "engine.cli", *words]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        os.close(theirs)
        os.write(ours, answer)
        told, beside = running.communicate(timeout=30)
    os.close(ours)
    return told.decode(), beside.decode()
