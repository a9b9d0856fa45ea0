"""Which addresses a channel may post to: public ones, and those its settings allow by name.

A URL in the settings, or a name that somebody else's name server answers for, must not turn this process into a way
into the network it stands in. So the rule is narrow: what is not known to be public is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from engine.delivery.endpoint import address_of, read_host
from engine.errors import ConfigError

_INTERNAL: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and Alibaba's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's metadata, in public space
        "169.254.0.0/16",  # link-local, and nearly everybody's metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC6: Final = IPv6Network("2000::/3")
"""All that is handed out. Loopback, unique local (``fd00:ec2::254`` too), link- and site-local, multicast, the local
NAT64 prefix and IPv4-compatible addresses are outside."""
_SPECIAL6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3ffe::/16",  # given back
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = 0x5EFE
"""The upper half of an interface id that ends in an IPv4 address, apart from two bits that say how it came about."""


class Guard:
    """Says whether a host may be posted to. ``allow`` has host names, addresses and networks.

    Raises ConfigError for an entry that is none of them.
    """

    def __init__(self, allow: Sequence[str]) -> None:
        entries = [_entry(text) for text in allow]
        self._names = {entry for entry in entries if isinstance(entry, str)}
        self._networks = [entry for entry in entries if not isinstance(entry, str)]

    def objection(self, host: str, addresses: Sequence[str]) -> str | None:
        """Why the host that is at these addresses is not posted to; None where it may be.

        One address that is not public is enough: whoever mixes them wants the other one tried.
        """
        if host in self._names:
            return None
        inside = next((address for address in addresses if not self._passes(ip_address(address))), None)
        if inside is None:
            return None
        where = f"{host} is" if inside == host else f"{host} is at {inside}, which is"
        return f"{where} not a public address; if that is meant, name it in the channel's 'allow'"

    def _passes(self, address: IPv4Address | IPv6Address) -> bool:
        meant = _meant(address)
        return is_public(meant) or any(meant in network or address in network for network in self._networks)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the internet and not to a network, a machine or a protocol of its own."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INTERNAL)
    if address not in _PUBLIC6 or any(address in network for network in _SPECIAL6):
        return False
    return (int(address) >> 32) & 0xFCFF_FFFF != _ISATAP or is_public(_last_half(address))


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that is reached through an IPv6 one: mapped by the system, or translated on the way."""
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64):
        return _last_half(address)
    return address


def _last_half(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)


def _entry(text: str) -> str | IPv4Network | IPv6Network:
    try:
        if "/" in text:
            return ip_network(text)
        host = read_host(text)
    except (ValueError, ConfigError):
        raise ConfigError(
            f"'{text}' in 'allow' is no host, address or network; write 'localhost', '10.1.2.3' or '10.0.0.0/8'"
        ) from None
    address = address_of(host)
    return host if address is None else ip_network(address)
