"""Where a channel posts to: one reading of its URL, and no second one.

What is checked, what is connected to and what the receiver is told are the parts of one :class:`Endpoint`, so no two
readers can disagree about a URL. The reading is strict: what browsers, resolvers and libraries take in different ways
is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from engine.errors import ConfigError

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+]|[0-9a-z._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#\\]*)?(?P<query>\?[^#\\]*)?",
    re.ASCII | re.IGNORECASE,
)
_PLAIN: Final = re.compile(r"[!-~]+")
_LABEL: Final = "[0-9a-z_](?:[0-9a-z_-]{0,61}[0-9a-z_])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+")
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL as it is used: ``host`` is a name in lower case or a plainly spelled address, ``target`` the rest."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_endpoint(url: str) -> Endpoint:
    """The endpoint a URL names. Raises ConfigError, which never quotes the URL: it may be a secret."""
    found = _URL.fullmatch(url) if _PLAIN.fullmatch(url) else None
    if found is None:
        raise ConfigError(_why_not(url))
    scheme = found["scheme"].lower()
    port = _PORTS[scheme] if found["port"] is None else int(found["port"])
    if not 1 <= port <= 65_535:
        raise ConfigError("the port of a url is a number from 1 to 65535")
    return Endpoint(scheme, read_host(found["host"]), port, (found["path"] or "/") + (found["query"] or ""))


def read_host(text: str) -> str:
    """A host as it is compared and connected to: a name in lower case, an address in its plain spelling.

    An address has many spellings: ``0x7f.1`` is ``127.0.0.1``. Raises ConfigError for what is neither.
    """
    host = text.lower().removesuffix(".")
    try:
        if ":" in host and "%" not in host:  # a zone is of this machine alone
            return str(IPv6Address(host.removeprefix("[").removesuffix("]")))
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(_ipv4(host))
    except ValueError:
        raise ConfigError(f"the host '{text}' looks like an address and is none") from None
    if not _NAME.fullmatch(host):
        raise ConfigError(f"'{text}' is no name of a host")
    return host


def address_of(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host is, if it is one and not a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ipv4(host: str) -> IPv4Address:
    """One to four numbers, the last of which fills what is left, each decimal, octal or hexadecimal."""
    *leading, last = (_number(part) for part in host.split("."))
    if len(leading) > 3 or any(one > 255 for one in leading) or last >= 256 ** (4 - len(leading)):
        raise ValueError(host)
    return IPv4Address(last + sum(one << (24 - 8 * place) for place, one in enumerate(leading)))


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)


def _why_not(url: str) -> str:
    if not _PLAIN.fullmatch(url):
        return (
            "a url has no spaces, control characters or letters beyond ASCII; in its path they are percent-encoded, "
            "and a host that has them is written the 'xn--' way"
        )
    if "@" in re.split(r"[/?#\\]", url.partition("://")[2])[0]:
        return "a url has no user name or password in it; a receiver knows Lapse by the signature"
    if "#" in url:
        return "a url that is posted to has no '#'"
    return "a url begins with 'https://' or 'http://', then a host of letters, digits, dots and hyphens, then a path"
