"""Who calls: addresses of this machine alone, and of callers behind proxies that are trusted."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Final

from starlette.requests import HTTPConnection

from engine.config import Network, Serve

LOOPBACK: Final = "127.0.0.1"

_FOR: Final = re.compile(r"(?:^|;)\s*for\s*=\s*\"?([^\";]*)", re.IGNORECASE)
_WITH_PORT: Final = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]*):\d+")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches, or is, the address."""
    address = _read(host)
    return host == "localhost" or (address is not None and address.is_loopback)


class Callers:
    """Tells the address of who calls: of the connection, or what trusted proxies say of it."""

    def __init__(self, settings: Serve) -> None:
        self._trusted: Sequence[Network] = settings.trusted_proxies
        self._header = settings.forwarded_header.lower()

    def of(self, request: HTTPConnection) -> str:
        """Return the address: the rightmost of the header that is no trusted proxy's.

        The header counts where the connection comes from a trusted proxy. What stands left of an address that cannot
        be read, or of one that is not trusted, may have been made up and counts for nothing.
        """
        caller = request.client.host if request.client is not None else ""
        if not self._trusts(_read(caller)):
            return caller
        hops = [hop for line in request.headers.getlist(self._header) for hop in line.split(",")]
        for hop in reversed(hops):
            address = self._named(hop.strip())
            if address is None:
                return caller
            caller = str(address)
            if not self._trusts(address):
                return caller
        return caller

    def _named(self, hop: str) -> Address | None:
        if self._header == "forwarded":
            found = _FOR.search(hop)
            hop = "" if found is None else found.group(1)
        with_port = _WITH_PORT.fullmatch(hop)
        return _read(hop if with_port is None else with_port.group(1) or with_port.group(2))

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _read(text: str) -> Address | None:
    """The address; one of IPv4 that is written as one of IPv6 is the former."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


class UntilKey:
    """Lets in connections from this machine alone until there is a key; looks for one once a second at most."""

    EVERY: Final = 1.0

    def __init__(self, has_key: Callable[[], bool], seconds: Callable[[], float]) -> None:
        """``has_key`` says whether there is one, ``seconds`` the time of a clock that is never set back."""
        self._has_key = has_key
        self._seconds = seconds
        self._open = False
        self._looked: float | None = None

    def __call__(self, host: str) -> bool:
        """Return whether a connection from an address is let in."""
        return self._open or is_loopback(host) or self._is_open()

    def _is_open(self) -> bool:
        now = self._seconds()
        if self._looked is None or now - self._looked >= self.EVERY:
            self._looked = now
            self._open = self._has_key()
        return self._open
