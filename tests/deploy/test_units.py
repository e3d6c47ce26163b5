"""What the systemd units may do, as systemd itself rates it, and what they call."""

import re
import shutil
import subprocess

import pytest
from django.conf import settings

UNITS = ["controlplane-web", "controlplane-worker", "controlplane-notify"]
LEVEL = 3.0  # of 10; the units had 8.5 with `NoNewPrivileges` and a read-only system alone
WORTH = {  # directives that weigh most, for machines without systemd
    "UMask=0077",
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "RestrictNamespaces=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "SystemCallFilter=@system-service",
    "SystemCallArchitectures=native",
    "StateDirectory=controlplane",
    "StateDirectoryMode=0700",
}


def unit(name):
    return settings.BASE_DIR / "deploy" / "systemd" / f"{name}.service"


def lines(name):
    return [line for line in unit(name).read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_may_do_little(name):
    assert set(lines(name)) >= WORTH
    assert [line for line in lines(name) if line.startswith("MemoryMax=")]
    if found := shutil.which("systemd-analyze"):
        command = [found, "security", "--offline=true", "--no-pager", str(unit(name))]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
        assert float(re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)[0]) <= LEVEL, said


def test_nothing_is_migrated_or_served_before_the_check():
    calls = [line.partition("manage.py ")[2].split()[:2] for line in lines("controlplane-web") if line.startswith("ExecStart")]
    assert [call[0] for call in calls] == ["collectstatic", "check", "migrate", "web"]
    assert calls[1] == ["check", "--deploy"]
    assert next(line for line in lines("controlplane-worker") if line.startswith("ExecStart")).endswith("manage.py worker")


def test_what_the_file_of_settings_says_counts():
    for name in UNITS:
        settings_of = [line.partition("=")[0] for line in lines(name) if line.startswith("Environment")]
        assert settings_of == ["Environment", "EnvironmentFile"]
