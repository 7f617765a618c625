"""docker-compose.yml against the code, without an engine: its settings, ports and rights."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis import settings as chassis_settings
from local.containers import made_secrets
from local.identity import Identity
from local.modules import MODULES, PROGRAMS
from local.ports import DEFAULT_BASE, Ports
from local.processes import REPOSITORY
from local.servers import Place
from local.services import Environments
from local.stack import embedded
from tests.compose.images import default_of, needed
from tools.settings_table import settings_of

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (REPOSITORY / "deploy" / "Dockerfile").read_text()
OTHERS = {"postgres", "kafka", "mailpit"}  # images that are not ours


def variables(name: str) -> set[str]:
    """The variables that a service's settings have."""
    settings = settings_of(PROGRAMS[name])
    return {f"{name}_{field}".upper() for field in settings.model_fields}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_setting_named_in_the_compose_file_exists(name: str) -> None:
    named = {*SERVICES[name]["environment"], *_secrets(name)}
    unknown = named - variables(name)
    assert not unknown, (
        f"docker-compose.yml or local/containers/made_secrets.py sets {sorted(unknown)} "
        f"for {name}, which has no such setting"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_required_setting_is_named_in_the_compose_file(name: str) -> None:
    fields = settings_of(PROGRAMS[name]).model_fields.items()
    required = {f"{name}_{field}".upper() for field, info in fields if info.is_required()}
    missing = required - {*SERVICES[name]["environment"], *_secrets(name)}
    assert not missing, (
        f"{name} requires {sorted(missing)}: set it for {name} in docker-compose.yml, or, if it is "
        "a key or secret, have local/containers/made_secrets.py make it (KEYS)"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_make_demo_sets_is_set_in_the_compose_file_too(name: str, tmp_path: Path) -> None:
    ports = Ports(DEFAULT_BASE)
    place = Place(folder=tmp_path, logs=tmp_path, ports=ports, on_death=lambda _: None)
    servers = embedded(cache=tmp_path, fsync=False)
    demo = Environments(
        tmp_path,
        ports,
        Identity(tmp_path / "identity", "http://127.0.0.1:8428"),
        servers.kafka(place),
        servers.postgres(place),
    ).of(name, port=getattr(ports, name), operations_port=ports.operations(name))
    by_image = {f"{name}_{each}".upper() for each in ("HOST", "PORT", "OPERATIONS_PORT")}
    missing = (variables(name) & demo.keys()) - by_image - _secrets(name)
    missing -= SERVICES[name]["environment"].keys()
    assert not missing, f"make demo sets {sorted(missing)}, docker-compose.yml does not"


@pytest.mark.parametrize("name", PROGRAMS)
def test_with_the_compose_file_s_settings_and_secrets_each_process_starts(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_secrets.make(tmp_path)
    monkeypatch.setattr(chassis_settings, "SECRETS", tmp_path / name)
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, str(value))
    settings = settings_of(PROGRAMS[name])()
    assert settings.model_dump()["environment"] == "container"


def test_secrets_are_made_once_and_each_reader_has_its_own(tmp_path: Path) -> None:
    made_secrets.make(tmp_path)
    first = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    made_secrets.make(tmp_path)
    assert first == {path: path.read_text() for path in first}
    for name in MODULES:
        found = {path.name.upper() for path in (tmp_path / name).iterdir()}
        assert found == _secrets(name)
        assert {mount.split(":")[0] for mount in SERVICES[name]["volumes"]} == {f"secrets-{name}"}


def test_a_variable_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made_secrets.make(tmp_path)
    monkeypatch.setattr(chassis_settings, "SECRETS", tmp_path / "status")
    for variable, value in SERVICES["status"]["environment"].items():
        monkeypatch.setenv(variable, str(value))
    monkeypatch.setenv("STATUS_DATABASE_URL", "postgresql://somewhere/else")
    dumped = settings_of(MODULES["status"])().model_dump()
    assert dumped["database_url"].get_secret_value() == "postgresql://somewhere/else"


def published() -> Iterator[tuple[str, str, int]]:
    """Service, address and port on the host of everything that is published."""
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            address, outside, _ = port.split(":")
            yield name, address, int(outside)


def test_everything_is_published_on_a_loopback_address_and_where_make_demo_has_it() -> None:
    ports = Ports(DEFAULT_BASE)
    expected = {
        "dashboard": {ports.dashboard},
        "scheduling": {ports.scheduling, ports.operations("scheduling")},
        "status": {ports.status},
        "webhooks": {ports.webhooks},
        "fhir": {ports.fhir},
        "mailbox": {ports.smtp, ports.mailbox},
        "phones": {ports.phones},
        "identity-provider": {ports.identity},
        "rooms": {ports.rooms},
        "postgres": {ports.postgres},
        "kafka": {ports.kafka},
    }
    found: dict[str, set[int]] = {}
    for name, address, port in published():
        assert address == "127.0.0.1", name
        found.setdefault(name, set()).add(port)
    assert found.items() >= expected.items()
    assert "notification" not in found  # or it could not be scaled


@pytest.mark.parametrize("name", SERVICES)
def test_containers_may_do_and_take_as_little_as_possible(name: str) -> None:
    service: Mapping[str, Any] = SERVICES[name]
    assert service["read_only"] is (name != "kafka")
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name not in OTHERS:
        assert "user" not in service  # the image's own, which is not root
    assert service["mem_limit"] in {"512m", "1g"}
    assert service["cpus"] == 1  # more than a machine has would be refused
    assert service["pids_limit"] <= 400


def test_only_who_needs_the_data_meets_it_and_only_what_is_published_is_at_the_edge() -> None:
    networks = {name: set(service.get("networks", ())) for name, service in SERVICES.items()}
    none = {name for name, service in SERVICES.items() if service.get("network_mode") == "none"}
    assert {name for name, found in networks.items() if not found} == none == {"secrets"}
    jobs = {name for name in SERVICES if name.startswith("migrate-")}
    jobs |= {"topics", "databases", "practice", "admin", "webhooks-admin"}
    meets = {name for name, found in networks.items() if "data" in found}
    assert meets == {"postgres", "kafka", *MODULES, *jobs}
    assert {name for name in jobs if networks[name] != {"data"}} == set()
    edge = {name for name, found in networks.items() if "edge" in found}
    assert edge == {name for name, _, _ in published()} - {"postgres", "kafka"}
    assert COMPOSE["networks"].keys() == {"edge", "app", "data"}
    assert COMPOSE["networks"]["app"] == {"internal": True}


def test_every_image_is_pinned_to_a_version() -> None:
    for image in needed().values():
        assert ":" in image, image
        assert not image.endswith((":latest", "/latest")), image


def test_every_target_runs_without_root_and_the_services_check_their_health() -> None:
    stages = DOCKERFILE.split("\nFROM ")[1:]
    named = {stage.splitlines()[0].rpartition(" AS ")[2]: stage for stage in stages}
    targets = {service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert targets == {*PROGRAMS, "tools"}
    for target in targets:
        bases = [target, named[target].split(" ", 1)[0]]
        assert any("USER 10001:10001" in named[base] for base in bases if base in named), target
    for target in PROGRAMS:
        assert "HEALTHCHECK" in named[target]


def test_the_job_that_makes_secrets_may_write_into_each_of_its_volumes() -> None:
    """A volume takes over the owner of the folder that it is first mounted on."""
    made = DOCKERFILE.partition("cd /secrets")[2].partition("USER")[0]
    folders = {mount.removeprefix("/secrets/") for mount in _mounts("secrets")}
    assert folders == set(made.partition("10001 \\\n")[2].split())


def _mounts(name: str) -> list[str]:
    return [mount.split(":")[1] for mount in SERVICES[name]["volumes"]]


def test_what_a_variable_stands_for_by_default_is_read() -> None:
    assert default_of("${KAFKA_IMAGE:-apache/kafka:4.4.0}") == "apache/kafka:4.4.0"
    assert default_of("postgres:18") == "postgres:18"


def _secrets(name: str) -> set[str]:
    return {f"{name}_{setting}".upper() for setting in made_secrets.settings_of(name)}
