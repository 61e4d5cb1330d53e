"""What kind of an address a host's name or number is."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Of this host alone. A name counts when every resolver has to answer loopback for it (RFC 6761 §6.3)."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".localhost")
