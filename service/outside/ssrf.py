"""The rules against SSRF (server-side request forgery): public addresses only, ports 80 and 443.

A user who can make a server fetch a URL could reach what only the server can reach: the cloud's
metadata service, an admin page behind the firewall, the server itself. So every address is checked
after the name is resolved, and the connection is made to the address that was checked.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple

Address = IPv4Address | IPv6Address

PORTS = frozenset({80, 443})

# Refused besides what ``is_global`` refuses, which in older releases of Python lacks some of these.
_NEVER_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; clouds put metadata services here
        "168.63.129.16/32",  # public in the registry, but Azure's own to every machine there
        "169.254.0.0/16",  # link-local, with the metadata service of most clouds
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

# All public unicast addresses are in this network. IPv4 addresses in mapped, compatible and NAT64
# form, unique local, link-local, site-local and multicast addresses are outside of it.
_PUBLIC_V6 = IPv6Network("2000::/3")
_NEVER_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, with Teredo, which embeds IPv4 addresses
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which embeds IPv4 addresses
        "3fff::/20",  # documentation
    )
)


def is_public(address: Address) -> bool:
    """Whether the address is reachable from anywhere on the Internet."""
    if not address.is_global:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NEVER_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _NEVER_V6)


class _Allowed(NamedTuple):
    network: IPv4Network | IPv6Network
    port: int | None


class AddressPolicy:
    """Permits public addresses on :data:`PORTS`, and what ``allow`` lists.

    ``allow`` is a comma-separated list of networks with or without a port, as in
    ``10.0.0.0/8, 127.0.0.1:8080, [::1]:8080``; without one, ports 80 and 443. It is for intranets
    and tests. Raises ``ValueError`` for one that cannot be read.
    """

    def __init__(self, allow: str = "") -> None:
        self._allowed = [_parse(part.strip()) for part in allow.split(",") if part.strip()]

    def permit(self, address: Address, port: int) -> bool:
        """Whether this service may connect there."""
        if port in PORTS and is_public(address):
            return True
        return any(
            address in network and (port in PORTS if only is None else port == only)
            for network, only in self._allowed
        )

    def permit_port(self, port: int) -> bool:
        """Whether there is any address on which this port may be used."""
        return port in PORTS or any(port == only for _, only in self._allowed)


def parse(text: str) -> Address | None:
    """The address that ``text`` is, or ``None`` for a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def _parse(text: str) -> _Allowed:
    if text.startswith("["):
        network, _, port = text.removeprefix("[").rpartition("]:")
    elif text.count(":") == 1:
        network, _, port = text.partition(":")
    else:
        network, port = text, ""
    try:
        return _Allowed(ip_network(network), int(port) if port else None)
    except ValueError as error:
        raise ValueError(
            f"OUTSIDE_ALLOW: {text!r} is no network: {error}. "
            "Write it as 10.0.0.0/8, 127.0.0.1:8080 or [::1]:8080"
        ) from None
