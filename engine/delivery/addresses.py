"""What counts as one address for mail: nothing that could mean two people, a route or a header.

An address is plain ASCII. A domain with other letters is written as the DNS has it (``xn--...``): there is more than
one way to turn it into that, and the other one is somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from engine.language.program import ADDRESS
from engine.strict_json import kind

LOCAL: Final = 64
"""Characters before the ``@`` (RFC 5321, 4.5.3.1.1)."""

TOTAL: Final = 254
"""Characters of an address (RFC 5321, 4.5.3.1.3, less the angle brackets)."""

_ATOM: Final = r"[A-Za-z0-9#$&'*+/=?^_{}~-]+"
"""Without ``%``, ``!``, ``|`` and backquotes, which once named routes and programs."""

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}", re.ASCII)
_MAILBOX: Final = re.compile(r"(?P<name>[^<>\"\r\n]*)<(?P<address>[^<>]*)>")


class Mailbox(NamedTuple):
    """An address and the name shown with it, which may be empty."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def address(value: Any) -> str:
    """``value``, if it is one address and nothing else. Raises ValueError, with what it is instead in words."""
    if not isinstance(value, str):
        raise ValueError(f"is {kind(value)} and no address")
    if len(value.rpartition("@")[0]) > LOCAL or len(value) > TOTAL:
        raise ValueError(f"is too long for an address: {LOCAL} characters before the '@' and {TOTAL} in all")
    if not value.isascii():
        raise ValueError("has letters beyond ASCII, which cannot be written to; a domain is written as 'xn--...' then")
    if not _ADDRESS.fullmatch(value):
        raise ValueError("is no single address like 'ann@example.com'")
    return value


def mailbox(text: str) -> Mailbox:
    """``hello@shop.example`` or ``Shop <hello@shop.example>``. Raises ValueError for anything else."""
    found = _MAILBOX.fullmatch(text.strip())
    if found is None:
        return Mailbox("", address(text.strip()))
    name = found["name"].strip()
    if not name.isprintable():
        raise ValueError("has characters in its name that cannot be shown")
    return Mailbox(name, address(found["address"]))


def destination(variables: Mapping[str, Any]) -> Any:
    """Where an action with these variables goes, checked by nobody yet: what its ``to`` named, else the person."""
    to = variables.get("to")
    return own_address(variables) if to is None else to


def recipient(variables: Mapping[str, Any]) -> str:
    """The one address that a mail with these variables goes to. Raises ValueError, with why there is none."""
    found = destination(variables)
    if found is None:
        raise ValueError("the person has no attribute 'email', and the rule's action no 'to'")
    try:
        return address(found)
    except ValueError as error:
        what = "the person's attribute 'email'" if variables.get("to") is None else "what the rule's 'to' names"
        raise ValueError(f"{what} {error}") from None


def own_address(variables: Mapping[str, Any]) -> Any:
    """The person's own address: their attribute ``email``, whatever it is."""
    return variables.get("person", {}).get(ADDRESS)
