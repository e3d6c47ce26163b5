"""What the containers may do, and what they call."""

import os
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


@pytest.mark.parametrize("name", ["web", "worker", "notify", "db", "proxy"])
def test_a_container_starts_again_and_stops_in_order(name):
    service = SERVICES[name]
    assert service["restart"] == "always"
    if name in ("web", "worker", "notify"):
        assert service["init"] is True, "as process 1, Python ignores signals that it does not handle"
        assert service["tmpfs"] == ["/tmp:size=1g,mode=1777"]
    assert service.get("stop_signal") == {"web": "SIGINT", "notify": "SIGINT"}.get(name)


def test_a_worker_has_longer_to_stop_than_it_takes(settings):
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > settings.PIPELINE_GRACE_SECONDS + 5


def test_the_web_believes_its_proxy_which_alone_reaches_it():
    assert SERVICES["web"]["environment"]["TRUSTED_PROXY"] == "*"
    assert "ports" not in SERVICES["web"]


def test_nothing_is_migrated_before_the_database_is_there():
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["db"]["healthcheck"]["test"].startswith("pg_isready -h 127.0.0.1")


def test_only_the_proxy_can_be_reached():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_web_and_workers_wait_for_the_check():
    assert SERVICES["migrate"]["command"].index("check --deploy &&") < SERVICES["migrate"]["command"].index("migrate --noinput")
    for name in ("web", "worker", "notify"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert SERVICES[name]["command"].startswith(f"python manage.py {name}")


def test_docker_compose_can_read_the_file(tmp_path):
    """Where it is installed: with a misspelled key it says so."""
    plugin = ["docker", "compose"]
    if not shutil.which("docker") or subprocess.run([*plugin, "version"], capture_output=True, check=False).returncode:
        plugin = ["docker-compose"]
    if not shutil.which(plugin[0]):
        pytest.skip("Docker Compose is not installed.")
    folder = shutil.copytree(FOLDER, tmp_path / "deploy")
    shutil.copy(folder / "controlplane.env.example", folder / "controlplane.env")
    command = [*plugin, "-f", str(folder / "compose.yaml"), "config", "-q"]
    environment = {**os.environ, "DOMAIN": "a.example"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr


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
