"""Files come from public addresses of known hosts, and from nowhere else: not by redirect, by name, or by a second look-up."""

import ipaddress
import socket
import ssl
import subprocess

import pytest

from competitors.models import Media
from competitors.upstream.media import fetch
from competitors.upstream.media.address import find, is_public

from .cdn import answer, cdn, file
from .files import picture

REFUSED = ("refused", "address_refused")


@pytest.fixture
def names(monkeypatch):
    """A table of names; every look-up of one is listed under None."""
    table: dict[str | None, list[str]] = {None: []}
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in table:
            return real(host, port, *args, **kwargs)
        table[None].append(host)
        return [found for ip in table[host] for found in real(ip, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


@pytest.mark.parametrize(
    "url",
    [
        "http://video.xx.fbcdn.net/a",  # not encrypted
        "https://video.xx.fbcdn.net:8443/a",
        "https://fbcdn.net.example.com/a",
        "https://evilfbcdn.net/a",
        "https://example.com/a",
        "https://example.com#.fbcdn.net/a",
        "https://example.com\\.fbcdn.net/a",
        "https://example.com/.fbcdn.net",
        "https://user@video.xx.fbcdn.net/a",
        "https://video.xx.fbcdn.net@example.com/a",
        "https://127.0.0.1/a",
        "https://2130706433/a",
        "https://0x7f.1/a",
        "https://[::1]/a",
        "https://[::ffff:127.0.0.1]/a",
        "https://localhost/a",
        "https://169.254.169.254/latest/meta-data/",
        "ftp://video.xx.fbcdn.net/a",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "//video.xx.fbcdn.net/a",
        "video.xx.fbcdn.net/a",
        "https://",
        "https://video.xx.fbcdn.net:99999/a",
        "https://[::1/a",
        f"https://{'a' * 70}.fbcdn.net/a",
        "https://a..fbcdn.net/a",
        "",
    ],
)
def test_a_link_to_anywhere_else_is_refused(folder, refusal, url):
    assert refusal(url) == REFUSED


@pytest.mark.parametrize("host", ["video.xx.fbcdn.net", "scontent.cdninstagram.com", "lookaside.fbsbx.com", "VIDEO.XX.FBCDN.NET"])
def test_a_known_host_at_a_public_address_is_allowed(names, host):
    names[host.lower()] = ["157.240.0.1", "2a03:2880::1"]
    place = find(f"https://{host}/v/a b.jpg?oe=1#x")
    assert (place.host, place.ip, place.port, place.name) == (host.lower(), "157.240.0.1", 443, host.lower())
    assert place.target == "/v/a%20b.jpg?oe=1"


@pytest.mark.parametrize(
    "ip",
    [
        *"127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 169.254.0.1 100.64.0.1 0.0.0.0 192.0.0.8".split(),
        *"192.0.2.1 198.18.0.1 203.0.113.5 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 192.88.99.1".split(),
        *":: ::1 fe80::1 fc00::1 fd00:ec2::254 fec0::1 ff02::1 ff0e::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1".split(),
        *"64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1::1 2001::1 2001:db8::1 3fff::1 5f00::1 2001:20::1".split(),
    ],
)
def test_an_address_that_is_not_public_is_refused(ip):
    assert not is_public(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", ["157.240.0.1", "8.8.8.8", "2a03:2880:f10c::1", "2606:4700::1111"])
def test_a_public_address_is_allowed(ip):
    assert is_public(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ips", [["10.0.0.1"], ["127.0.0.1"], ["fe80::1"], ["157.240.0.1", "10.0.0.1"]], ids=str)
def test_a_known_name_that_resolves_to_a_private_address_is_refused(folder, names, refusal, ips):
    names["video.xx.fbcdn.net"] = ips
    assert refusal("https://video.xx.fbcdn.net/a") == REFUSED


def test_a_host_of_the_setting_may_be_this_machine_but_no_other_private_one(server, settings, names, refusal):
    names["media.example.com"] = ["10.0.0.1"]
    settings.MEDIA_EXTRA_HOSTS = ["media.example.com", server.host]
    assert refusal("https://media.example.com/a") == REFUSED
    assert isinstance(fetch(server.serve(file(picture())), "image"), Media)


def test_a_host_is_allowed_at_the_named_port_only(server, settings, refusal):
    url = server.serve(file(picture()))
    settings.MEDIA_EXTRA_HOSTS = ["127.0.0.1", f"127.0.0.1:{server.port + 1}"]
    assert refusal(url) == REFUSED
    assert server.requests == []


def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_was_checked(server, settings, names, monkeypatch):
    """A second look-up could be answered by another address: the name may be an attacker's."""
    names["media.example.com"] = ["127.0.0.1"]
    settings.MEDIA_EXTRA_HOSTS = [f"media.example.com:{server.port}"]
    server.serve(file(picture()))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert isinstance(fetch(f"http://media.example.com:{server.port}/file", "image"), Media)
    assert names[None] == ["media.example.com"]
    assert server.requests[0]["host"] == f"media.example.com:{server.port}"


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/a",
        "http://169.254.169.254/latest/meta-data/",
        "https://video.xx.fbcdn.net/a",
        "//[::1]/a",
        "file:///etc/passwd",
        "http://127.0.0.1:{other}/a",
    ],
)
def test_a_redirect_is_checked_like_the_link_itself(server, names, refusal, target):
    names["video.xx.fbcdn.net"] = ["192.168.0.1"]
    with cdn() as other:
        other.serve(file(picture()), "/a")
        assert refusal(server.serve(answer(302, Location=target.format(other=other.port)))) == REFUSED
        assert other.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_to_allowed_places_are_followed(server, status):
    server.serve(file(picture()), "/c")
    server.serve(answer(status, Location="c"), "/b")
    url = server.serve(answer(status, Location=f"http://{server.host}/b", Set_Cookie="a=b; Path=/"), "/a")
    assert isinstance(fetch(url, "image"), Media)
    assert [request["path"] for request in server.requests] == ["/a", "/b", "/c"]


def test_the_sixth_redirect_is_not_followed(server, refusal):
    assert refusal(server.serve(answer(302, Location="/file"))) == ("failed", "server_error")
    assert len(server.requests) == 6


def test_a_redirect_to_nowhere_is_an_error_of_the_server(server, refusal):
    assert refusal(server.serve(answer(302))) == ("failed", "server_error")
    assert len(server.requests) == 1


def test_a_request_looks_like_a_browsers_and_tells_nothing_of_us(server, settings):
    settings.APIFY_TOKEN = settings.META_ACCESS_TOKEN = "a-secret-of-ours"
    server.serve(file(picture()), "/b")
    fetch(server.serve(answer(302, Location="/b", Set_Cookie="a=b")), "image")
    for request in server.requests:
        assert request.keys() == {"path", "host", "user-agent", "accept", "accept-encoding"}
        assert request["user-agent"].startswith("Mozilla/5.0")
        assert "a-secret-of-ours" not in str(request)


@pytest.mark.parametrize(("name", "good"), [("media.example.com", True), ("other.example.com", False)])
def test_over_tls_the_certificate_has_to_be_the_names(settings, tmp_path, folder, db, names, monkeypatch, name, good):
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split()
    subject = ["-subj", "/CN=media.example.com", "-addext", "subjectAltName=DNS:media.example.com"]
    subprocess.run([*command, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr("competitors.upstream.media.download.PAUSES", ())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with cdn(lambda sock: context.wrap_socket(sock, server_side=True)) as server:
        server.serve(file(picture()))
        names[name] = ["127.0.0.1"]
        settings.MEDIA_EXTRA_HOSTS = [f"{name}:{server.port}"]
        found = fetch(f"https://{name}:{server.port}/file", "image")
        assert isinstance(found, Media) == good, found
        assert len(server.requests) == good
