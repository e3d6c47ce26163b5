"""Where files may come from: public addresses of known hosts. A name is resolved once; what was checked is connected to."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from competitors.models import MediaReason

from .failure import Failure, Passing

HOSTS = (".fbcdn.net", ".cdninstagram.com", ".fbsbx.com")
PORTS = {"https": 443, "http": 80}
UNICAST = ip_network("2000::/3")  # leaves out IPv4 addresses in an IPv6 form, which may name this machine or network
# Translators, relays and examples that `is_global` of some Python versions takes for public.
NOT_PUBLIC = [ip_network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20")]


@dataclass(frozen=True)
class Place:
    """A URL whose address was checked."""

    scheme: str
    host: str  # an IPv6 address without its brackets
    ip: str
    port: int
    target: str  # path and query
    name: str  # for the Host header: with brackets, and with a port that is not the usual one


def find(url: str) -> Place:
    """The place of the URL. A Failure if files may not come from there."""
    parts = _parse(url)
    scheme, host = parts.scheme or "", parts.host or ""
    if scheme not in PORTS or not host or parts.auth is not None:
        raise Failure(MediaReason.ADDRESS_REFUSED, "The link is not a plain https address.")
    port = parts.port or PORTS[scheme]
    usual = port == PORTS[scheme]
    name = host if usual else f"{host}:{port}"
    named = {f"{host}:{port}", name} & {entry.lower() for entry in settings.MEDIA_EXTRA_HOSTS}
    if not named and not (scheme == "https" and usual and host.endswith(HOSTS)):
        raise Failure(MediaReason.ADDRESS_REFUSED, f"Files may not come from {scheme}://{name}.")
    host = host.strip("[]")
    ips = _resolve(host, port)
    # All of them: a name with a public and a private address is a trap, not a CDN.
    if not all(is_public(ip) or (named and ip.is_loopback) for ip in ips):
        raise Failure(MediaReason.ADDRESS_REFUSED, f"{name} has an address that is not public.")
    return Place(scheme, host, str(ips[0]), port, parts.request_uri, name)


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    return (
        ip.is_global
        and not ip.is_multicast
        and not ip.is_reserved
        and (ip.version == 4 or ip in UNICAST)
        and not any(ip in block for block in NOT_PUBLIC)
    )


def _parse(url: str) -> Url:
    try:
        return parse_url(url)  # the one reading of the URL: two parsers could see two hosts in it
    except (LocationParseError, UnicodeError) as error:
        raise Failure(MediaReason.ADDRESS_REFUSED, "The link cannot be read.") from error


def _resolve(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a part of the name is empty or too long
        raise Failure(MediaReason.ADDRESS_REFUSED, "The link's host is not a name.") from error
    except OSError as error:
        raise Passing(MediaReason.SERVER_ERROR, f"{host} cannot be found ({error.strerror}).") from error
    return [ip_address(str(address[0])) for *_, address in found]
