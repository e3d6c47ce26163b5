"""What the containers may do, and what they call."""

import shutil
import subprocess

import pytest
import yaml
from django.conf import settings

FOLDER = settings.BASE_DIR / "deploy"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
MAY = {  # the only rights beyond those of any process
    "db": {"CHOWN", "DAC_READ_SEARCH", "FOWNER", "SETGID", "SETUID"},
    "proxy": {"NET_BIND_SERVICE"},
}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_writes_only_to_volumes_and_memory_and_gains_no_rights(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) == MAY.get(name, set())
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert not service.get("privileged")


def test_only_the_proxy_can_be_reached():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_web_and_workers_wait_for_the_check():
    assert SERVICES["migrate"]["command"].index("check --deploy &&") < SERVICES["migrate"]["command"].index("migrate --noinput")
    for name in ("web", "worker", "notify"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert SERVICES[name]["command"].startswith(f"python manage.py {name}")


def test_every_volume_and_file_exists():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert (FOLDER / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_proxys_file_can_be_read():
    """By Caddy where it is installed: Debian's, which is older than the container's and has another word for buffering."""
    text = (FOLDER / "Caddyfile").read_text()
    assert "{$BUFFER:buffer_requests}" in text
    assert SERVICES["proxy"]["environment"]["BUFFER"].startswith("request_buffers ")
    if caddy := shutil.which("caddy"):
        command = [caddy, "adapt", "--adapter", "caddyfile", "--config", str(FOLDER / "Caddyfile"), "--validate"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert answer.returncode == 0, answer.stderr
