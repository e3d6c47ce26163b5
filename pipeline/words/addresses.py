"""Which IP addresses are public: a host that somebody else names must not lead to this machine or its network."""

from ipaddress import IPv4Address, IPv6Address, ip_network

UNICAST = ip_network("2000::/3")  # leaves out IPv4 addresses in an IPv6 form, which may name this machine or network
# Translators, relays and examples that `is_global` of some Python versions takes for public.
NOT_PUBLIC = [ip_network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20")]


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    return (
        ip.is_global
        and not ip.is_multicast
        and not ip.is_reserved
        and (ip.version == 4 or ip in UNICAST)
        and not any(ip in block for block in NOT_PUBLIC)
    )
