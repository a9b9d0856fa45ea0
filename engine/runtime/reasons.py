"""Why journeys end and actions do not leave, by the codes that are stored: in the words people read."""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    "finished": "came to its end without an action",
    "false": "its condition became false",
    "exit": "left by an exit event",
    "only_while": "'Only while' no longer held",
    "limited": "the limit was reached",
    "no_date": "the date it waits for is missing",
    "overtaken": "overtaken while held back",
    "replaced": "replaced by a newer trigger",
    "inactive": "the rule's active days were over",
    "merged": "merged with another person's",
    "rule_removed": "the rule was removed",
    "erased": "the person was erased",
}
"""Why a journey ended."""

KEPT: Final = {
    "holdout": "in the comparison group",
    "history": "it was past when it came to be known",
    "no_recipient": "nobody to send it to",
    "date_passed": "its date was over",
    "unsubscribed": "unsubscribed",
    "unreachable": "the address takes no mail",
    "decided_again": "decided otherwise since",
    "paused": "the rule is paused",
    "unbound": "nothing binds its action to a channel; name it in [actions]",
}
"""Why an action does not leave, beside what ends a journey."""

CAP: Final = "cap: "
"""What the reason of an action begins with that a cap kept from leaving."""


def capped_by(reason: str | None) -> str | None:
    """Return the name of the cap that kept an action from leaving; None where none did."""
    return reason.removeprefix(CAP) if reason is not None and reason.startswith(CAP) else None
