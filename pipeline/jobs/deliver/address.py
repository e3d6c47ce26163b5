"""Where a message may go: over HTTP to known hosts, at public addresses; by apprise to services with a host of their own.

A name is resolved once, and what was checked is connected to.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from ...contract.errors import PermanentError, TransientError
from ...words.addresses import is_public

SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
PORTS = {"https": 443, "http": 80}
# What apprise may be told after a "?". More of it would open files, ask any address, or leave certificates unchecked.
OPTIONS = ("priority", "region", "silent", "sound", "thread", "topic")
_OPTION = rf"(?:{'|'.join(OPTIONS)})=[\w.-]+"
_SERVICE = re.compile(rf"[^?]+(?:\?{_OPTION}(?:&{_OPTION})*)?")


@dataclass(frozen=True)
class Place:
    """An address of which scheme and host were checked. `inside`: the host may be of our own network."""

    scheme: str
    host: str  # an IPv6 address without its brackets
    port: int
    target: str  # path and query
    name: str  # for the Host header: with brackets, and with a port that is not the usual one
    inside: bool


def find(url: str, hosts: tuple[str, ...] = ()) -> Place:
    """PermanentError if messages may not go there. `hosts`: allowed besides those of the settings."""
    try:
        parts = parse_url(url)  # the one reading of it: two parsers could see two hosts
    except (LocationParseError, UnicodeError) as error:
        raise PermanentError("The address cannot be read.") from error
    scheme, host = parts.scheme or "", parts.host or ""
    if scheme not in PORTS or not host or parts.auth is not None:
        raise PermanentError("The address must begin with https:// and have a host, without a user name.")
    port = parts.port or PORTS[scheme]
    usual = port == PORTS[scheme]
    name = host if usual else f"{host}:{port}"
    inside = bool({name, f"{host}:{port}"} & {entry.lower() for entry in settings.NOTIFY_PRIVATE_HOSTS})
    public = {entry.lower() for entry in settings.NOTIFY_HOSTS} | set(hosts)
    if not inside and not (scheme == "https" and name in public):
        raise PermanentError(f"Messages may not go to {scheme}://{name}. Name it in NOTIFY_HOSTS, for web and worker.")
    return Place(scheme, host.strip("[]"), port, parts.request_uri, name, inside)


def resolve(place: Place) -> str:
    """The IP address to connect to."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"{place.name} cannot be found.") from error
    ips = [ip_address(str(address[0])) for *_, address in found]
    # All of them: a name with a public and a private address is a trap.
    if not place.inside and not all(map(is_public, ips)):
        raise PermanentError(f"{place.name} has an address that is not public. Name it in NOTIFY_PRIVATE_HOSTS if it is yours.")
    return str(ips[0])


def service_of(address: str) -> str:
    """The scheme of an address of apprise. PermanentError if it may not be used, or could lead elsewhere than to its service."""
    scheme, _, rest = address.partition("://")
    if not rest or scheme.lower() not in settings.NOTIFY_APPRISE_SCHEMES:
        allowed = ", ".join(f"{one}://" for one in settings.NOTIFY_APPRISE_SCHEMES)
        raise PermanentError(f"The address must begin with one of: {allowed} (NOTIFY_APPRISE_SCHEMES, for web and worker).")
    if not _SERVICE.fullmatch(rest):
        raise PermanentError(f"After a ? only these may follow, with plain values: {', '.join(OPTIONS)}.")
    return scheme.lower()
