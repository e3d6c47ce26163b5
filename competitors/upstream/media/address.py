"""Where files may come from: public addresses of known hosts. A name is resolved once; what was checked is connected to."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from competitors.models import MediaReason
from pipeline.words.addresses import is_public

from .failure import Failure, Passing

HOSTS = (".fbcdn.net", ".cdninstagram.com", ".fbsbx.com")
PORTS = {"https": 443, "http": 80}


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
