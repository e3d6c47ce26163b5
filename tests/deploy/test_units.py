"""What the systemd units may do, as systemd itself rates it, and what they call."""

import re
import shutil
import subprocess

import pytest
from django.conf import settings

UNITS = ["controlplane-web", "controlplane-worker", "controlplane-notify"]
LEVEL = 3.0  # of 10; the units had 8.5 with `NoNewPrivileges` and a read-only system alone
MAY_DO_LITTLE = """
    UMask=0077 StateDirectory=controlplane StateDirectoryMode=0700 NoNewPrivileges=yes CapabilityBoundingSet= AmbientCapabilities=
    ProtectSystem=strict ProtectHome=yes PrivateTmp=yes PrivateDevices=yes PrivateUsers=yes PrivateMounts=yes
    ProtectProc=invisible ProtectClock=yes ProtectHostname=yes ProtectControlGroups=yes
    ProtectKernelLogs=yes ProtectKernelModules=yes ProtectKernelTunables=yes
    RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes LockPersonality=yes RemoveIPC=yes
    SystemCallArchitectures=native SystemCallFilter=@system-service SystemCallErrorNumber=EPERM
    """.split()
MAY_DO_LITTLE += ["RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6", "SystemCallFilter=~@privileged @resources"]
STAYS_UP = {  # a unit starts again always, stops in order, and leaves others their memory
    "controlplane-web": {"KillSignal=SIGINT", "TimeoutStartSec=infinity", "MemoryHigh=1G", "MemoryMax=1536M", "TasksMax=256"},
    "controlplane-worker": {"KillMode=mixed", "OOMPolicy=continue", "MemoryHigh=1536M", "MemoryMax=2G", "TasksMax=512"},
    "controlplane-notify": {"KillSignal=SIGINT", "MemoryMax=512M", "TasksMax=64"},
}


def unit(name):
    return settings.BASE_DIR / "deploy" / "systemd" / f"{name}.service"


def lines(name):
    return [line for line in unit(name).read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_may_do_little(name):
    assert set(lines(name)) >= {*MAY_DO_LITTLE}
    if found := shutil.which("systemd-analyze"):
        command = [found, "security", "--offline=true", "--no-pager", str(unit(name))]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
        assert float(re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)[0]) <= LEVEL, said


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_again_and_has_limits(name):
    assert set(lines(name)) >= {"Restart=always", "StartLimitIntervalSec=0", "User=controlplane", *STAYS_UP[name]}


def test_a_worker_has_longer_to_stop_than_it_takes(settings):
    (seconds,) = [line.partition("=")[2] for line in lines("controlplane-worker") if line.startswith("TimeoutStopSec=")]
    assert int(seconds) > settings.PIPELINE_GRACE_SECONDS + 5


def test_the_web_believes_the_proxy_of_its_own_machine():
    assert [line for line in lines("controlplane-web") if line.startswith("Environment=") and "TRUSTED_PROXY=127.0.0.1" in line]
    assert next(line for line in lines("controlplane-web") if "manage.py web" in line).endswith(
        "--listen 127.0.0.1:8000 --threads 16"
    )


def test_nothing_is_migrated_or_served_before_the_check():
    calls = [line.partition("manage.py ")[2].split()[:2] for line in lines("controlplane-web") if line.startswith("ExecStart")]
    assert [call[0] for call in calls] == ["collectstatic", "check", "migrate", "web"]
    assert calls[1] == ["check", "--deploy"]
    assert next(line for line in lines("controlplane-worker") if line.startswith("ExecStart")).endswith("manage.py worker")


def test_what_the_file_of_settings_says_counts():
    for name in UNITS:
        settings_of = [line.partition("=")[0] for line in lines(name) if line.startswith("Environment")]
        assert settings_of == ["Environment", "EnvironmentFile"]
