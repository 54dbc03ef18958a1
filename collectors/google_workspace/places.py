"""Whether an address is one of the district's own. The address itself goes no further than here."""

import ipaddress
import socket
from collections.abc import Iterable, Sequence

from collectors import readings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Ranges = list[tuple[int, int]]
Place = readings.Place

# Addresses that are used in schools and in homes alike, so they tell nothing of a place.
LOCAL: tuple[Network, ...] = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by a carrier's customers
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::/127",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
V4_BYTES, V6_BYTES = 4, 16
MAPPED = bytes(10) + b"\xff\xff"  # begins an IPv6 address that holds one of IPv4
SHORTEST_PREFIX = {4: 8, 6: 16}  # more than that belongs to no district


def check(networks: Iterable[str]) -> None:
    """Raises ValueError for what cannot be a district's own public addresses."""
    for text in networks:
        try:
            network = ipaddress.ip_network(text)
        except ValueError as error:
            raise ValueError("school_networks must hold networks such as 198.51.100.0/24") from error
        if network.prefixlen < SHORTEST_PREFIX[network.version]:
            raise ValueError("school_networks holds a network that is larger than any district's")
        if any(network.version == local.version and network.overlaps(local) for local in LOCAL):
            raise ValueError(
                "school_networks must hold public addresses: private ones are used in homes as well"
            )


class Places:
    """Tells places by the networks of one district."""

    def __init__(self, networks: Sequence[str]) -> None:
        own = [ipaddress.ip_network(text) for text in networks]
        self._own = _by_length(own)

    def of(self, text: str) -> Place:
        """Of a kind of address of which no network is given, IPv6 say, nothing can be told."""
        packed = _packed(text)
        if packed is None:
            return Place.UNKNOWN
        number, version = int.from_bytes(packed), len(packed)
        own = self._own[version]
        if _is_in(number, own):
            return Place.AT_SCHOOL
        return Place.UNKNOWN if not own or _is_in(number, _LOCAL[version]) else Place.ELSEWHERE


def together(places: Sequence[Place]) -> Place:
    """What several networks say of one instant: those that know, where they agree."""
    if len(places) == 1:
        return places[0]
    known = {place for place in places if place is not Place.UNKNOWN}
    return known.pop() if len(known) == 1 else Place.UNKNOWN


def _packed(text: str) -> bytes | None:
    """An address as 4 or 16 bytes. Many are read: this is ten times as fast as ``ipaddress``."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None
    return packed[len(MAPPED) :] if len(packed) == V6_BYTES and packed.startswith(MAPPED) else packed


def _by_length(networks: Iterable[Network]) -> dict[int, Ranges]:
    """First and last address of each network, by how many bytes its addresses have."""
    ranges: dict[int, Ranges] = {V4_BYTES: [], V6_BYTES: []}
    for network in networks:
        first, last = network.network_address, network.broadcast_address
        ranges[len(first.packed)].append((int(first), int(last)))
    return ranges


def _is_in(number: int, ranges: Ranges) -> bool:
    for first, last in ranges:  # noqa: SIM110 - a loop is twice as fast as any()
        if first <= number <= last:
            return True
    return False


_LOCAL = _by_length(LOCAL)
