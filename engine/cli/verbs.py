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


def _verb(name: str, summary: str, module: str | None = None, attribute: str | None = None) -> Verb:
    """Return a verb that is defined under its own name unless another is given."""
    return Verb(name, module or name, attribute or name, summary)


VERBS: Final = (
    _verb("run", "Decide and act by the clock until stopped"),
    _verb("serve", "Serve the HTTP APIs, and decide and act by the clock, until stopped"),
    _verb("replay", "Show what rules would have done to a log"),
    _verb("check", "Look rules over for mistakes"),
    _verb("test", "Run the tests that stand beside rules", attribute="rule_tests"),
    _verb("preview", "Show a message as it would go to a person"),
    _verb("ingest", "Take files of events in"),
    _verb("rules", "Show what is live and what it has done"),
    _verb("pause", "Pause a rule, a channel, or all that leaves; or show what is paused"),
    _verb("resume", "Let a paused rule, a channel, or all that leaves, go on", module="pause"),
    _verb("person", "Show one person"),
    _verb("erase", "Erase a person: all that is stored of them, for good"),
    _verb("events", "Show events, newest first, or how often each came about"),
    _verb("deliveries", "Show what left, what is to leave, and what was kept from it, newest first"),
    _verb("redrive", "Take actions up again that were given up: dead ones, and parked ones if you say so"),
    _verb("doctor", "Look whether everything is fit to run"),
    _verb("backup", "Copy the store to a file, while it is in use"),
    _verb("restore", "Make the store from a copy, with all sending held"),
    _verb("addresses", "Show addresses that bounced for good and get no more mail, the latest first; let one go"),
    _verb("types", "Show the event types of a workspace; make and delete them"),
    _verb("quarantine", "Show refused items that are kept; try them again, or let them go"),
    _verb("keys", "Make keys for the HTTP service, list them, revoke them"),
    _verb("workspaces", "Make workspaces, and list them"),
)
"""In the order of the help page. Nouns with verbs of their own come last."""
