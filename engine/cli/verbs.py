"""The verbs of the command: where each is defined, and its line on the help page.

A verb is imported when it is called, so that no command loads what only others need.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Verb(NamedTuple):
    """A verb: its name, its module and attribute, and the first sentence of its docstring."""

    name: str
    module: str
    attribute: str
    summary: str


VERBS: Final = (
    Verb("run", "run", "run", "Decide and act by the clock until stopped"),
    Verb("serve", "serve", "serve", "Serve the HTTP APIs, and decide and act by the clock, until stopped"),
    Verb("replay", "replay", "replay", "Show what rules would have done to a log"),
    Verb("check", "check", "check", "Look rules over for mistakes"),
    Verb("test", "test", "rule_tests", "Run the tests that stand beside rules"),
    Verb("preview", "preview", "preview", "Show a message as it would go to a person"),
    Verb("ingest", "ingest", "ingest", "Take files of events in"),
    Verb("rules", "rules", "rules", "Show what is live and what it has done"),
    Verb("pause", "pause", "pause", "Pause a rule, a channel, or all that leaves; or show what is paused"),
    Verb("resume", "pause", "resume", "Let a paused rule, a channel, or all that leaves, go on"),
    Verb("person", "person", "person", "Show one person"),
    Verb("erase", "erase", "erase", "Erase a person: all that is stored of them, for good"),
    Verb("events", "events", "events", "Show events, newest first, or how often each came about"),
    Verb(
        "deliveries",
        "deliveries",
        "deliveries",
        "Show what left, what is to leave, and what was kept from it, newest first",
    ),
    Verb(
        "redrive",
        "redrive",
        "redrive",
        "Take actions up again that were given up: dead ones, and parked ones if you say so",
    ),
    Verb("doctor", "doctor", "doctor", "Look whether everything is fit to run"),
    Verb("backup", "backup", "backup", "Copy the store to a file, while it is in use"),
    Verb("restore", "restore", "restore", "Make the store from a copy, with all sending held"),
    Verb(
        "addresses",
        "addresses",
        "addresses",
        "Show addresses that bounced for good and get no more mail, the latest first; let one go",
    ),
    Verb("types", "types", "types", "Show the event types of a workspace; make and delete them"),
    Verb("quarantine", "quarantine", "quarantine", "Show refused items that are kept; try them again, or let them go"),
    Verb("keys", "keys", "keys", "Make keys for the HTTP service, list them, revoke them"),
    Verb("workspaces", "workspaces", "workspaces", "Make workspaces, and list them"),
)
"""In the order of the help page. Nouns with verbs of their own come last."""
