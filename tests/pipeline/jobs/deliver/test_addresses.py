"""Where messages may go: no address that somebody types makes a worker ask this machine or its network."""

import socket

import pytest

from pipeline.contract.errors import PermanentError, TransientError
from pipeline.jobs.deliver.address import SLACK_HOSTS, find, resolve, service_of


@pytest.fixture(autouse=True)
def _settings(settings):
    settings.NOTIFY_HOSTS = ["hooks.example.com", "odd.example.com:8443"]
    settings.NOTIFY_PRIVATE_HOSTS = ["127.0.0.1:9000", "intranet.example.com"]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/x?y=z",
        "https://odd.example.com:8443/",
        "http://127.0.0.1:9000/",
        "http://intranet.example.com/",
    ],
)
def test_named_hosts_may_be_asked(url):
    assert find(url).target.startswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example.com/",
        "http://hooks.example.com/",  # not encrypted
        "https://hooks.example.com:8443/",
        "https://hooks.example.com.evil.example/",
        "https://hooks.example.com@evil.example/",
        "https://ann:password@hooks.example.com/",
        "https://evil.example\\@hooks.example.com/",
        "http://127.0.0.1/",
        "http://127.0.0.1:9001/",
        "http://[::1]:9000/",
        "http://2130706433/",
        "https://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "",
        "not an address",
    ],
)
def test_no_other_address_may_be_asked(url):
    with pytest.raises(PermanentError):
        find(url, SLACK_HOSTS)


@pytest.mark.parametrize("ips", [["10.0.0.7"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], ["fe80::1"], ["100.64.0.1"]])
def test_a_public_name_that_leads_inside_is_refused(monkeypatch, ips):
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ips]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: answer)
    with pytest.raises(PermanentError, match="not public"):
        resolve(find("https://hooks.example.com/"))
    assert resolve(find("http://intranet.example.com/")) == ips[0].replace("::ffff:127.0.0.1", "::ffff:7f00:1")


def test_a_name_that_cannot_be_found_is_tried_again(monkeypatch):
    def missing(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", missing)
    with pytest.raises(TransientError):
        resolve(find("https://hooks.example.com/"))


@pytest.mark.parametrize(
    "address",
    [
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?thread=12",
        "opsgenie://key?region=eu&priority=high",
        "tgram://123456789:abcdefg_hijklmnop/-100?topic=7&silent=yes",
    ],
)
def test_a_service_is_asked_at_its_own_host(address):
    assert address.startswith(service_of(address))


@pytest.mark.parametrize(
    "address",
    [
        "zulip://bot@a.intranet.example/a8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3",  # any host
        "json://169.254.169.254/",
        "discord:/json://169.254.169.254/",
        "discord://1/x?template=http://169.254.169.254/",  # read, and sent along
        "discord://1/x?thread=1&%74emplate=/etc/passwd",
        "discord://1/x?thread=1;template=/etc/passwd",
        "discord://1/x?thread=1?&template=/etc/passwd",
        "tgram://123456789:abc/1?Template=file:///etc/passwd",
        "discord://1/x?verify=no",
        "discord://1/x?redirect=yes",
        "discord://1/x?avatar_url=http://169.254.169.254/",
        "discord://",
        "discord",
        "",
    ],
)
def test_a_service_cannot_be_made_to_ask_another_address_or_to_read_a_file(address):
    with pytest.raises(PermanentError):
        service_of(address)
