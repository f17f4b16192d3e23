"""Normalise the IP address of a visitor."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NAT64 = IPv6Network("64:ff9b::/96")


def plain_address(text: str) -> str:
    """An address without its zone; an IPv4 address mapped into IPv6 as IPv4. Raises ValueError.

    A server that listens on :: sees visitors over IPv4 as ::ffff:192.0.2.1. Limits count IPv6 by the /64, which all
    of these share.
    """
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        return str(address)
    if address in NAT64:
        return str(IPv4Address(int(address) & 0xFFFF_FFFF))
    return str(address.ipv4_mapped or IPv6Address(int(address)))
