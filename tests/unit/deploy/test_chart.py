"""The Helm chart against the code and Kubernetes' schemas, without a cluster."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from chassis import settings as chassis_settings
from chassis.service import SHUTDOWN_TIMEOUT
from contracts.access import ACCOUNTS, OTHER_SYSTEM, Grant, Operation, grants
from contracts.access import Resource as Kind
from contracts.topics import ALL_TOPICS
from local.modules import MODULES, PROGRAMS
from local.processes import REPOSITORY
from tests.support import certificates, helm
from tests.support.helm import EVERYTHING, KUBERNETES, PRODUCTION, Refused, Resource
from tests.support.settings import DASHBOARD, NOTIFICATION, SCHEDULING, SERVICE, WEBHOOKS
from tools import chart
from tools.settings_table import settings_of

OURS = {"apps", "autoscaling", "batch", "networking.k8s.io", "policy", "v1"}
OPERATORS = {  # whose schemas are not Kubernetes' own
    "cert-manager.io",
    "gateway.networking.k8s.io",
    "kafka.strimzi.io",
    "keda.sh",
    "monitoring.coreos.com",
}
VALUES = {"production": (PRODUCTION,), "everything": (PRODUCTION, EVERYTHING)}
SECRETS: Mapping[str, Mapping[str, Any]] = {
    "scheduling": SCHEDULING | {"jitsi_key": "g" * 40, "room_key": "A" * 43},
    "notification": NOTIFICATION,
    "status": SERVICE,
    "webhooks": WEBHOOKS,
    "dashboard": DASHBOARD,
    "fhir": {},
}


@cache
def resources(values: str) -> list[Resource]:
    return helm.render(*VALUES[values])


def of(kind: str, values: str = "everything") -> list[Resource]:
    return [each for each in resources(values) if each["kind"] == kind]


def component(resource: Resource) -> str:
    name: str = resource["metadata"]["labels"]["app.kubernetes.io/component"]
    return name


def deployments(values: str) -> dict[str, Resource]:
    return {component(each): each for each in of("Deployment", values)}


def container(name: str, values: str) -> dict[str, Any]:
    [found] = deployments(values)[name]["spec"]["template"]["spec"]["containers"]
    return dict(found)


def variables(name: str, values: str) -> dict[str, str]:
    [found] = [each["data"] for each in of("ConfigMap", values) if component(each) == name]
    return dict(found)


def secrets(name: str, values: str) -> set[str]:
    pod = deployments(values)[name]["spec"]["template"]["spec"]
    mounted = [each["secret"] for each in pod["volumes"] if each["name"] == "secrets"]
    return {item["path"] for volume in mounted for item in volume["items"]}


def pods() -> Iterator[Resource]:
    for each in resources("everything"):
        if each["kind"] in {"Deployment", "Job"}:
            yield each["spec"]["template"]["spec"]


@pytest.mark.parametrize("values", VALUES)
def test_helm_finds_no_fault(values: str) -> None:
    files = (f"--values={file}" for file in VALUES[values])
    helm.helm("lint", "--strict", "--quiet", f"--kube-version={KUBERNETES}", *files, helm.CHART)


def test_what_is_rendered_is_what_kubernetes_takes() -> None:
    names = set()
    for each in resources("everything"):
        group = each["apiVersion"].split("/")[0]
        assert group in OURS | OPERATORS
        if group in OURS:
            kubernetes_validate.validate(dict(each), KUBERNETES, strict=True)
        names.add((each["kind"], each["metadata"]["name"]))
    assert len(names) == len(resources("everything"))


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_chart_sets_what_is_required_and_nothing_that_does_not_exist(
    name: str, values: str
) -> None:
    fields = settings_of(PROGRAMS[name]).model_fields
    known = {f"{name}_{field}".upper() for field in fields}
    required = {f"{name}_{field}".upper() for field, info in fields.items() if info.is_required()}
    plain = {each for each in variables(name, values) if each.startswith(name.upper())}
    sealed = {each.upper() for each in secrets(name, values)}
    assert required <= plain | sealed <= known
    assert not plain & sealed
    assert not {
        each for each in plain if chart.is_secret("", fields[each[len(name) + 1 :].lower()])
    }


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_with_the_chart_s_settings_each_process_starts_in_production(
    name: str, values: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").mkdir()
    for each in secrets(name, values):
        value = SECRETS[name].get(each.removeprefix(f"{name}_"), "geheim")
        text = value if isinstance(value, str) else json.dumps(value)
        (tmp_path / "secrets" / each).write_text(text)
    monkeypatch.setattr(chassis_settings, "SECRETS", tmp_path / "secrets")
    for variable, text in variables(name, values).items():
        monkeypatch.setenv(variable, _with_file(tmp_path, text))
    settings = settings_of(PROGRAMS[name])()
    assert settings.model_dump()["environment"] == "production"
    assert settings.model_dump()["network"] == "untrusted"


def _with_file(root: Path, text: str) -> str:
    """What is mounted in a pod: a file with a certificate and its key, for the key as well."""
    if not text.startswith("/etc/einladung/"):
        return text
    path = root / text.removeprefix("/").replace(".key", ".crt")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        certificates.self_signed(path)
    return str(path)


def test_pods_may_do_as_little_as_possible() -> None:
    found = list(pods())
    assert len(found) == len(PROGRAMS) + len(MODULES)
    for pod in found:
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"].items() >= {
            ("runAsNonRoot", True),
            ("runAsUser", 10001),
        }
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "hostUsers"}
        for each in pod["containers"]:
            assert each["securityContext"] == {
                "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }
            assert each["resources"]["limits"]["memory"]
            assert each["resources"]["requests"].keys() >= {"cpu", "memory"}
        assert not [each for each in pod["volumes"] if "hostPath" in each]


@pytest.mark.parametrize("name", PROGRAMS)
def test_probes_ask_the_port_for_operations_that_the_image_opens(name: str) -> None:
    dockerfile = (REPOSITORY / "deploy" / "Dockerfile").read_text()
    of_image = dockerfile.partition(f"FROM runtime AS {name}\n")[2].partition("\nFROM ")[0]
    ports = {port["name"]: port["containerPort"] for port in container(name, "production")["ports"]}
    [exposed] = [line for line in of_image.splitlines() if line.startswith("EXPOSE")]
    assert set(exposed.split()[1:]) >= {str(port) for port in ports.values()}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container(name, "production")[probe]["httpGet"]
        assert asked["port"] == "operations"
        assert asked["scheme"] == "HTTPS"
    fields = settings_of(PROGRAMS[name]).model_fields
    assert ports["operations"] == fields["operations_port"].default
    assert ports["http"] == fields["port"].default


def test_an_update_takes_nobody_away_who_serves() -> None:
    for name, deployment in deployments("production").items():
        spec = deployment["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        slept = container(name, "production")["lifecycle"]["preStop"]["sleep"]["seconds"]
        # ADR 0013: a service takes less than 45 s after the signal, engines should wait 60.
        assert spec["template"]["spec"]["terminationGracePeriodSeconds"] >= slept + 60
        assert SHUTDOWN_TIMEOUT < 45
    assert {component(each) for each in of("PodDisruptionBudget")} == set(PROGRAMS)


def test_migrations_come_first_each_with_its_own_owner() -> None:
    jobs = {each["metadata"]["name"].rpartition("-")[2]: each for each in of("Job")}
    assert jobs.keys() == MODULES.keys()
    for name, job in jobs.items():
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        pod = job["spec"]["template"]["spec"]
        assert pod["containers"][0]["command"][-2:] == ["migrate", name]
        [secret] = [each["secret"] for each in pod["volumes"] if "secret" in each]
        assert [item["path"] for item in secret["items"]] == [f"{name}_owner"]


def talks(values: str) -> Iterator[tuple[str, str, str]]:
    """From whom to whom at which port, between the chart's own pods."""
    policies = {component(each): each["spec"] for each in of("NetworkPolicy", values)}
    for name, spec in policies.items():
        for rule in spec.get("ingress") or []:
            for peer in rule["from"]:
                if peer.keys() == {"podSelector"}:
                    caller = peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
                    [port] = rule["ports"]
                    ways = [
                        other
                        for other in policies[caller]["egress"]
                        if {"podSelector": spec["podSelector"]} in other.get("to", [])
                        and other["ports"] == rule["ports"]
                    ]
                    assert len(ways) == 1, f"{caller} is let in by {name}, and not out"
                    yield caller, name, port["port"]


def test_only_what_must_talk_talks() -> None:
    assert set(talks("everything")) == {
        ("dashboard", "scheduling", "http"),
        ("dashboard", "notification", "http"),
        ("dashboard", "status", "http"),
        ("status", "scheduling", "http"),
        ("webhooks", "scheduling", "http"),
        ("scheduling", "status", "http"),
        ("fhir", "scheduling", "http"),
        ("fhir", "status", "http"),
    }
    policies = {component(each): each["spec"] for each in of("NetworkPolicy", "production")}
    assert policies.keys() == {*PROGRAMS, "migrations"}
    for name, spec in policies.items():
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        ports = {port["port"] for rule in spec["egress"] for port in rule["ports"]} - {"http"}
        expected = {53}
        if name != "fhir":
            expected |= {5432}
        if name in MODULES:
            expected |= {443}
            expected |= set() if name == "dashboard" else {9093}
        if name == "notification":
            expected |= {587}
        if name == "webhooks":
            expected |= {8443}
        assert ports == expected
        for rule in spec.get("ingress") or []:
            assert rule["from"], "an empty list would let in everybody"
    assert not policies["migrations"].get("ingress")


def test_nobody_is_let_in_who_is_not_named() -> None:
    names = ("callersFrom", "monitoringFrom", "operatorsFrom", "mailServersFrom")
    changes = [f"networkPolicy.{name}=[]" for name in names]
    for each in helm.render(PRODUCTION, changes=changes):
        if each["kind"] == "NetworkPolicy":
            for rule in each["spec"].get("ingress") or []:
                assert [set(peer) for peer in rule["from"]] == [{"podSelector"}]


def test_nothing_leads_from_outside_to_the_ports_for_operations() -> None:
    for each in of("Ingress"):
        for rule in each["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert path["backend"]["service"]["port"] == {"name": "http"}
    for each in of("HTTPRoute"):
        [rule] = each["spec"]["rules"]
        [backend] = rule["backendRefs"]
        assert 8400 <= backend["port"] < 8410
    assert len(of("Ingress")) == len(of("HTTPRoute")) == len(PROGRAMS)


def test_kafka_s_accounts_may_what_the_contracts_say() -> None:
    found = {
        Grant(
            user["metadata"]["name"],
            Operation(operation),
            Kind(acl["resource"]["type"]),
            acl["resource"]["name"],
            prefixed=acl["resource"]["patternType"] == "prefix",
        )
        for user in of("KafkaUser")
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }
    as_reader = {
        Grant("reader-warehouse", *(each.operation, each.resource, each.name, each.prefixed))
        for each in grants()
        if each.account == OTHER_SYSTEM
    }
    assert found == {each for each in grants() if each.account in ACCOUNTS} | as_reader


def test_kafka_s_topics_are_those_of_the_contracts() -> None:
    found = {each["metadata"]["name"]: each["spec"] for each in of("KafkaTopic")}
    assert found.keys() == {topic.name for topic in ALL_TOPICS}
    for topic in ALL_TOPICS:
        assert found[topic.name]["partitions"] == topic.partitions
        config = found[topic.name]["config"]
        assert config["retention.ms"] == str(topic.retention_ms)
        assert config.get("segment.ms") == (topic.segment_ms and str(topic.segment_ms))


def test_the_rules_and_the_board_are_brought_as_they_are() -> None:
    files = helm.CHART / "files"
    [rule] = of("PrometheusRule")
    assert rule["spec"] == yaml.safe_load((files / "alerts.yaml").read_text())
    [board] = [each["data"] for each in of("ConfigMap") if "einladung.json" in each["data"]]
    assert board["einladung.json"] == (files / "grafana.json").read_text()


def test_what_scales_has_no_number_of_replicas_that_an_upgrade_would_set_back() -> None:
    scaled = {"scheduling", "notification"}
    for name, deployment in deployments("everything").items():
        assert ("replicas" in deployment["spec"]) is (name not in scaled)
    [by_lag] = of("ScaledObject")
    asked = {each["metadata"].get("topic") for each in by_lag["spec"]["triggers"]}
    assert asked == {
        *(topic.name for topic in ALL_TOPICS if "notification" in topic.readers),
        None,  # the queue's age
    }


# Together, as Helm starts anew for each.
WRONG: Sequence[Mapping[str, str]] = (
    {
        'auth.issuer=""': "auth.issuer is needed: the identity provider's URL.",
        'kafka.bootstrap=""': "kafka.bootstrap is needed: host and port of Kafka.",
        'kafka.mechanism="OAUTHBEARER"': "kafka.tokenUrl is needed for kafka.mechanism=OAUTHBEARER",
        "tls.certManager.issuer=null": "status.tls.secret or tls.certManager.issuer is needed",
        'authorities.configMap=""': "are files of authorities.configMap, which is not named.",
        'hosts.scheduling=""': "hosts.scheduling or scheduling.settings.link_base_url is needed",
        'hosts.dashboard=""': "hosts.dashboard or dashboard.settings.public_url is needed",
        'hosts.fhir=""': "hosts.fhir or fhir.settings.public_url is needed with fhir.enabled",
        "notification.settings.intake_allow_from=[]": "intake_allow_from is needed with",
        'migrations.secret=""': "migrations.secret is needed: a Secret with the keys",
        "gateway.enabled=true": "gateway.parentRefs is needed with gateway.enabled.",
        "strimzi.enabled=true": "strimzi.cluster is needed with strimzi.enabled",
        'status.autoscaling={"enabled": true, "minReplicas": 5, "maxReplicas": 4}': (
            "status.autoscaling.minReplicas is more than its maxReplicas."
        ),
        "status.keda.enabled=true": "status.autoscaling and status.keda would both scale it",
        'status.keda.queueAge.serverAddress="http://prometheus"': "status.keda.queueAge.query is",
    },
    {
        'auth.issuer="http://a"': 'auth.issuer has to begin with https://, and is "http://a".',
        "tls.enabled=false": "tls.enabled=false needs network=trusted, which says that a mesh",
        'kafka.security="ssl"': "status.kafkaCertificate is needed for kafka.security=ssl.",
        'status.secret.name=""': (
            "status.secret.name is needed: a Secret with the keys status_database_url, "
            "status_event_public_keys."
        ),
    },
    {  # of values.schema.json: the words are Helm's, and not the same in every version
        'image.pullPolicy="Sometimes"': "pullPolicy",
        "status.replicas=0": "replicas",
        "dashbord={}": "dashbord",
        "status.settings.streams=0": "streams",
        'status.settings.log_level="LOUD"': "log_level",
        'status.settings.database_url="a"': "database_url",
        "dashboard.settings.port=1": "port",
        'scheduling.secret.more=["jitsi"]': "more",
        'hosts.status="https://a.example"': "hosts",
    },
)


@pytest.mark.parametrize("wrong", WRONG)
def test_each_wrong_value_is_told_in_one_sentence(wrong: Mapping[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        helm.render(PRODUCTION, changes=wrong)
    assert [each for each in wrong.values() if each not in str(refused.value)] == []


def test_a_setting_that_is_required_is_asked_for() -> None:
    with pytest.raises(Refused, match="oidc_client_id"):
        helm.render()
