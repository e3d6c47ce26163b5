"""One POST to a checked address: no redirects, proxies or cookies. The answer's text is read no further than is needed."""

from collections.abc import Mapping

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from ...contract.errors import PermanentError, TransientError
from .address import Place, resolve

SECONDS = 15  # to connect, and between two parts of the answer
TRY_LATER = (408, 425, 429)


def post(place: Place, body: bytes, headers: Mapping[str, str]) -> None:
    """TransientError if it may work later, PermanentError if not. The words name the host only: the rest may be secret."""
    ip = resolve(place)
    connection: HTTPConnection
    if place.scheme == "http":
        connection = HTTPConnection(ip, place.port, timeout=SECONDS)
    else:  # the certificate has to be the name's, though the connection goes to the address
        connection = HTTPSConnection(ip, place.port, timeout=SECONDS, server_hostname=place.host)
    sent = {"Content-Type": "application/json", "User-Agent": "controlplane", **headers, "Host": place.name}
    try:
        connection.request("POST", place.target, body=body, headers=sent, preload_content=False)
        status = connection.getresponse().status
    except (OSError, HTTPError) as error:
        raise TransientError(f"{place.name} gave no answer ({type(error).__name__}).") from error
    finally:
        connection.close()
    if 200 <= status < 300:
        return
    words = f"{place.name} answered {status}."
    if status in TRY_LATER or status >= 500:
        raise TransientError(words)
    raise PermanentError(f"{words} Check the channel's address.")
