"""What the tests need on the machine, and how to install it. `python -m tests.machine` names the first thing missing."""

import ctypes
import shutil
import socket
import sys
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
INSTALL_CHROMIUM = "apt-get install -y chromium fonts-liberation fonts-noto-color-emoji libatomic1"
INSTALL_POSTGRES = "apt-get install -y postgresql"
INSTALL_FAKETIME = "apt-get install -y libfaketime"


class Missing(Exception):
    """Something that the tests need is not installed."""


def free_port() -> int:
    """Of loopback. Nobody has it now; somebody else may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chromium() -> str:
    for name in CHROMIUM_NAMES:
        if found := shutil.which(name):
            break
    else:
        raise Missing(f"Browser tests need Chromium, but none is on the PATH. Install it: {INSTALL_CHROMIUM}")
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libatomic.so.1")
        except OSError:
            raise Missing(
                f"Playwright's driver needs libatomic1, which is not installed. Install it: {INSTALL_CHROMIUM}"
            ) from None
    return found


def postgres_binaries() -> Path:
    """Folder with initdb and postgres: from the PATH, else Debian's newest, which is not on the PATH."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name.split(".")[0]), reverse=True
    )
    on_path = shutil.which("initdb")
    for folder in [*([Path(on_path).resolve().parent] if on_path else []), *debian]:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing(f"Tests also run on PostgreSQL, but its server is not installed. Install it: {INSTALL_POSTGRES}")


def faketime() -> Path:
    """The library that gives a process another clock when it is preloaded."""
    for found in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"):
        return found
    raise Missing(f"Fault tests need libfaketime to change the clock, but it is not installed. Install it: {INSTALL_FAKETIME}")


if __name__ == "__main__":
    for need in (chromium, postgres_binaries, faketime):
        try:
            need()
        except Missing as missing:
            sys.exit(str(missing))
