"""Hosts as network namespaces on one bridge, which can be cut off. Needs Linux, root and iproute2."""

import contextlib
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator

NUMBERS = itertools.count()


class NotPermitted(Exception):
    """Its message says what is missing."""


class Network:
    """A bridge with `gateway` as the test's own address."""

    def __init__(self) -> None:
        self.name = f"cp{os.getpid() % 100_000}n{next(NUMBERS)}"
        self.subnet = f"10.213.{os.getpid() % 250 + 1}"
        self.gateway = f"{self.subnet}.1"
        self.hosts: list[Host] = []
        ip("link", "add", self.name, "type", "bridge")
        ip("addr", "add", f"{self.gateway}/24", "dev", self.name)
        ip("link", "set", self.name, "up")

    def host(self) -> "Host":
        host = Host(self, len(self.hosts) + 2)
        self.hosts.append(host)
        host.connect()
        return host

    def remove(self) -> None:
        for host in self.hosts:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", host.name)
        ip("link", "del", self.name)


class Host:
    def __init__(self, network: Network, number: int):
        self.network, self.name, self.cable = network, f"{network.name}h{number}", f"{network.name}{chr(95 + number)}"
        ip("netns", "add", self.name)
        ip("link", "add", self.cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("link", "set", self.cable, "up")
        ip("-n", self.name, "addr", "add", f"{network.subnet}.{number}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", self.name, "link", "set", device, "up")

    @property
    def inside(self) -> list[str]:
        """What a command begins with to run on this host. It becomes the command: same process, same id."""
        return ["ip", "netns", "exec", self.name]

    def cut_off(self) -> None:
        """What it sends and what it is sent is lost in silence."""
        ip("link", "set", self.cable, "nomaster")

    def connect(self) -> None:
        ip("link", "set", self.cable, "master", self.network.name)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    if os.geteuid() or not shutil.which("ip"):
        raise NotPermitted("Hosts are network namespaces: these tests need root, and iproute2 (apt-get install -y iproute2).")
    try:
        ours = Network()
        ours.host()
    except subprocess.CalledProcessError as error:
        raise NotPermitted(f"This machine allows no network namespaces: {' '.join(error.cmd)}: {error.stderr.strip()}") from error
    try:
        yield ours
    finally:
        ours.remove()
