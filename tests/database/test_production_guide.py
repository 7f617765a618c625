"""docs/production.md is followed, in its order, as far as one machine without its servers goes.

Run: settings, keys, roles, databases, migrations, the first practice, backup and restore, a key's
rotation; the files for nginx, systemd, Postfix, Prometheus and compose by their own programs, where
these are (else the test says which is missing). Kafka's commands are the business of docs/kafka.md.
Not run, for want of what they are about: the download, accounts of Kafka, systemctl, the upgrade to
a release that is not there yet, the recovery (tests/faults/test_recovery.py runs it).
"""

import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
import yaml
from pydantic_settings import BaseSettings

from chassis.secret_keys import decode_key, decode_keys, decode_public_keys, newest
from contracts import signatures
from local.modules import MODULES, SERVICES
from local.ports import Ports, free_base
from local.postgres import Postgres
from local.processes import REPOSITORY
from tests.support.guide import BLOCKS, FILES, SCRIPTS, TEXT, VARIATIONS, Block, Machine, output
from tools.settings_table import settings_of

SUPERUSER = "postgres"
RUN_HERE = {"keys", "databases", "migrate", "practice", "room keys"}
RUN_HERE |= {"backup", "restore", "rotate", "rotate into use", "rotate out"}
OWNERS = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"


@pytest_asyncio.fixture(scope="module")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """With files and keys."""
    made = Machine(tmp_path_factory.mktemp("machine"))
    made.write()
    await made.run("keys")
    return made


@pytest_asyncio.fixture(scope="module")
async def database(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The superuser's URL of a server on which roles, databases and tables were made."""
    folder = tmp_path_factory.mktemp("postgres")
    server = Postgres(folder, services=[], ports=Ports(free_base()), logs=folder, fsync=False)
    await server.prepare(lambda _: None)
    await server.start()
    try:
        url = server.dsn(SUPERUSER)
        await machine.run("databases", url)
        await machine.run("migrate", url)
        yield url
    finally:
        await server.stop()


async def taken(
    machine: Machine, name: str, monkeypatch: pytest.MonkeyPatch, more: str = "", **other: str
) -> Any:
    """The settings of a process that starts with its file, and nothing else."""
    fields = settings_of(MODULES[name]).model_fields
    variables = {**await machine.variables(name, machine.led(more)), **other}
    assert variables.pop("MODULE") == MODULES[name]
    known = {f"{name}_{field}".upper() for field in fields} | {"FORWARDED_ALLOW_IPS"}
    assert variables.keys() <= known, variables.keys() - known
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    settings: BaseSettings = settings_of(MODULES[name])()
    assert settings.model_dump()["environment"] == "production"
    return settings


@pytest.mark.parametrize("name", MODULES)
async def test_each_process_takes_its_file(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await taken(machine, name, monkeypatch)


@pytest.mark.parametrize("block", VARIATIONS, ids=lambda block: block.variation)
async def test_each_variation_is_taken(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, block: Block
) -> None:
    name = Path(block.path or "").stem
    if "ROOMS" in block.text:
        await machine.run("room keys")
    settings = await taken(machine, name, monkeypatch, more=block.text)
    if gateways := re.findall(r"for (seven|Twilio)", block.variation or ""):
        assert settings.sms_gateways == [gateways[0].lower()]
        for each in settings.sms_gateways:
            assert f"`{settings.sms_receipts_url}/v1/receipts/{each}`" in TEXT


async def test_the_halves_of_the_pairs_belong_together_and_no_key_is_twice(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = {name: await taken(machine, name, monkeypatch) for name in SERVICES}
    for producer in "scheduling", "notification":
        public = signatures.public_keys(decode_keys(of[producer].event_keys))
        for reader in SERVICES:
            assert decode_public_keys(of[reader].event_public_keys[producer]) == public
    headers, body = of["scheduling"].body_sealer.seal({}, b"{}")
    assert of["notification"].body_opener.open(headers, body) == b"{}"
    text = "".join(machine.path(f"/etc/einladung/{name}.env").read_text() for name in MODULES)
    private = re.findall(r"^\w+_(?!PUBLIC)\w+(?<!PUBLIC)_KEYS='\{\"1\": \"(.+?)\"", text, re.M)
    assert len(private) == len(set(private)) == 10


async def test_only_root_reads_keys_and_they_are_not_made_twice(machine: Machine) -> None:
    for place in (
        machine.path("/etc/einladung/passwords"),
        *machine.path("/etc/einladung/passwords").iterdir(),
    ):
        assert not place.stat().st_mode & 0o077, place
    before = machine.path("/etc/einladung/scheduling.env").read_text()
    with pytest.raises(AssertionError, match="File exists"):
        await machine.run("keys")
    assert machine.path("/etc/einladung/scheduling.env").read_text() == before


async def test_who_serves_owns_nothing_and_meets_no_other_s_data(
    machine: Machine, database: str
) -> None:
    for name in MODULES:
        connection = await asyncpg.connect(role_s(machine, database, name, name))
        owners = {row["tableowner"] for row in await connection.fetch(OWNERS)}
        assert owners == {f"{name}_owner"}
        assert await connection.fetchval("SELECT count(*) FROM pg_tables") > 0
        await connection.close()
        for other in {*MODULES, "postgres", "template1"} - {name}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(role_s(machine, database, name, other))


async def test_a_practice_is_set_up_saved_and_brought_back(machine: Machine, database: str) -> None:
    printed = await machine.run("practice", database)
    assert printed.count("Praxis am Markt") == 2
    assert "secret:" in printed
    await book(database)
    await machine.run("backup", database, user="backup")
    await book(database)
    assert await appointments(database) == 2
    await machine.run("restore", database)
    assert await appointments(database) == 1
    admin = f"{sys.executable} -m services.scheduling.admin"
    owner = role_s(machine, database, "scheduling_owner", "scheduling")
    said = await output(
        *("bash", "-c", f"{admin} audit verify"),
        env={"SCHEDULING_ADMIN_DATABASE_URL": owner, "PATH": os.environ["PATH"]},
        cwd=REPOSITORY,
    )
    assert said.strip()
    # What a dump must not lose: the service may still do what it does, and no more.
    service = await asyncpg.connect(role_s(machine, database, "scheduling", "scheduling"))
    assert await service.fetchval("SELECT count(*) FROM appointments") == 0  # of no practice
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute("DELETE FROM audit_entries")
    await service.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(role_s(machine, database, "status", "scheduling"))


async def test_a_key_is_rotated(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = (await taken(machine, "scheduling", monkeypatch)).contact_keys[1]
    await machine.run("rotate")
    keys = decode_keys((await taken(machine, "scheduling", monkeypatch)).contact_keys)
    assert keys.keys() == {1, 2}
    assert (keys.waiting, newest(keys)) == (frozenset({2}), 1)
    assert keys[1] == decode_key(first)
    await machine.run("rotate into use")
    used = decode_keys((await taken(machine, "scheduling", monkeypatch)).contact_keys)
    assert used == keys
    assert (used.waiting, newest(used)) == (frozenset(), 2)
    await machine.run("rotate out")
    left = decode_keys((await taken(machine, "scheduling", monkeypatch)).contact_keys)
    assert left == {2: keys[2]}


def test_the_proxy_leads_each_name_to_its_process() -> None:
    text = re.sub(r"#.*", "", FILES["/etc/nginx/conf.d/einladung.conf"])
    servers = {
        name: set(re.findall(r"proxy_pass http://127\.0\.0\.1:(\d+)", server))
        for server in text.split("server {")
        for name in re.findall(r"server_name (\S+);", server)
    }
    assert servers == {
        "termine.example.org": {"8400"},
        "besuch.example.org": {"8401"},
        "api.example.org": {"8401", "8402", "8403", "8404"},
    }
    assert "https://termine.example.org" in FILES["/etc/einladung/dashboard.env"]
    assert "https://besuch.example.org/besuch" in FILES["/etc/einladung/scheduling.env"]
    assert text.count("{") == text.count("}")


async def test_nginx_takes_the_proxy_s_file(machine: Machine) -> None:
    nginx = needed("nginx", "/usr/sbin")
    main = machine.folder / "nginx.conf"
    logs = machine.folder / "var" / "log" / "nginx"
    logs.mkdir(parents=True, exist_ok=True)
    included = machine.path("/etc/nginx/conf.d/einladung.conf")
    included.write_text(included.read_text().replace("/var/log/nginx", str(logs)))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = " ".join(f"{kind}_temp_path {logs}/{kind};" for kind in kinds)
    main.write_text(
        f"pid {logs}/pid; error_log {logs}/error.log; events {{}}\n"
        f"http {{ access_log {logs}/access.log; {places} include {included}; }}\n"
    )
    await output(nginx, "-t", "-q", "-p", str(machine.folder), "-c", str(main))


async def test_systemd_takes_the_unit(machine: Machine) -> None:
    analyze = needed("systemd-analyze")
    template = machine.path("/etc/systemd/system/einladung@.service")
    unit = template.with_name("einladung@status.service")
    unit.write_text(template.read_text())
    said = await output(analyze, "verify", "--man=no", "--recursive-errors=no", str(unit))
    assert str(unit.name) not in said, said
    assert "TimeoutStopSec=60\n" in unit.read_text()


async def test_postfix_hands_over_what_comes_back_and_takes_nothing_else(machine: Machine) -> None:
    needed("postmap", "/usr/sbin")
    folder = machine.path("/etc/postfix")
    main = (folder / "main.cf").read_text()
    assert "rueck.example.org" in FILES["/etc/einladung/notification.env"]

    async def asked(setting: str, address: str) -> str:
        table = re.search(rf"^{setting} = (.*)$", main, re.M)
        assert table is not None
        shell = 'postmap -c "$1" -q "$2" "$3" || true'
        return await output("bash", "-c", shell, "-", str(folder), address, table[1])

    assert await asked("transport_maps", "rueck.example.org") == "lmtp:inet:10.1.0.5:8424\n"
    for address in "post@rueck.example.org", "post+abc23@rueck.example.org":
        assert await asked("relay_recipient_maps", address) == "OK\n"
    assert await asked("relay_recipient_maps", "anybody@rueck.example.org") == ""


async def test_prometheus_takes_its_file(machine: Machine) -> None:
    promtool = needed("promtool")
    await output(promtool, "check", "config", str(machine.path("/etc/prometheus/prometheus.yml")))


@pytest.mark.parametrize("name", MODULES)
async def test_in_containers_each_process_takes_its_file_too(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    services = yaml.safe_load(FILES["/opt/einladung/production.compose.yaml"])["services"]
    demo = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    service = services[name]
    assert services.keys() == set(MODULES)
    assert service["env_file"] == [f"/etc/einladung/{name}.env"]
    settings = await taken(machine, name, monkeypatch, **service["environment"])
    addresses = [str(value) for field, value in settings if re.search("url|jwks", field)]
    assert not [each for each in addresses if "127.0.0.1" in each]
    assert service["build"] == demo[name]["build"]
    for each in "read_only", "cap_drop", "security_opt", "stop_grace_period", "mem_limit":
        assert service[each] == demo[name][each], each
    for port in service["ports"]:
        assert port.startswith(("127.0.0.1:", "10.1.0.5:8424:")), port


async def test_compose_takes_its_file(machine: Machine) -> None:
    docker = needed("docker")
    try:
        await output(docker, "compose", "version")
    except AssertionError:
        pytest.skip("docker has no compose here: its file is read as YAML only")
    file = machine.path("/opt/einladung/production.compose.yaml")
    await output(docker, "compose", "--file", str(file), "config", "--quiet")


@pytest.mark.parametrize(
    "block",
    [each for each in BLOCKS if each.kind == "sh"],
    ids=lambda block: block.name or block.text.splitlines()[0][:40],
)
async def test_every_script_is_one(block: Block) -> None:
    await output("bash", "-n", "-c", block.text)


def test_what_can_be_run_is_run() -> None:
    assert SCRIPTS.keys() == RUN_HERE


def test_what_the_guide_points_to_is_there() -> None:
    anchors = {anchor(title) for title in re.findall(r"^#+ (.*)$", TEXT, re.M)}
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", TEXT):
        file, _, fragment = target.partition("#")
        if not file:
            assert fragment in anchors, target
            continue
        found = REPOSITORY / "docs" / file
        assert found.is_file(), target
        if fragment:
            titles = re.findall(r"^#+ (.*)$", found.read_text(), re.M)
            assert fragment in {anchor(title) for title in titles}, target


def anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def needed(program: str, elsewhere: str = "") -> str:
    found = shutil.which(program, path=f"{os.environ['PATH']}:{elsewhere}")
    if found is None:
        pytest.skip(f"{program} is not installed: its file is not tried")
    return found


def role_s(machine: Machine, database: str, role: str, name: str) -> str:
    """A URL of a database on the server, as a role sees it."""
    server = urlsplit(database)
    address = f"{server.hostname}:{server.port}"
    return f"postgresql://{role}:{machine.password(role)}@{address}/{name}?sslmode=disable"


def replaced(database: str, name: str) -> str:
    """The URL of another database on the server, as the superuser sees it."""
    return urlsplit(database)._replace(path=f"/{name}").geturl()


async def appointments(database: str) -> int:
    connection = await asyncpg.connect(replaced(database, "scheduling"))
    try:
        return int(await connection.fetchval("SELECT count(*) FROM appointments"))
    finally:
        await connection.close()


async def book(database: str) -> None:
    """An appointment of the practice."""
    connection = await asyncpg.connect(replaced(database, "scheduling"))
    await connection.execute(
        """
        INSERT INTO appointments (id, practice_id, starts_at, duration_minutes, channels, locale,
                                  consented_at, invitation_id, created_at, created_by, contact)
        SELECT gen_random_uuid(), id, now() + interval '1 day', 20, '{email}', 'de', now(),
               gen_random_uuid(), now(), 'somebody', decode('01', 'hex') FROM practices
        """
    )
    await connection.close()
