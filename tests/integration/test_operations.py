"""What ops sees: health, metrics, and logs in which no patient is named."""

import httpx
import pytest

from tests.conftest import Stack
from tests.integration.test_invitations import link_in
from tests.support import Practice

SERVICES = ("scheduling", "notification", "status", "dashboard")


async def test_no_log_and_no_metric_names_a_patient(practice: Practice, stack: Stack) -> None:
    arrived = await practice.create(patient_name="Wilhelmine Geheim")
    await practice.shows(arrived["id"], "delivered")
    token = link_in(await practice.mail(arrived["email"])).rsplit("/", 1)[-1]
    refused = await practice.create(
        patient_name="Wilhelmine Geheim", email="unbekannt+geheim@example.org"
    )
    await practice.shows(refused["id"], "failed")
    await practice.post(practice.form(patient_name="Wilhelmine Geheim", email="geheim@@"))
    await practice.scheduling.get(f"/besuch/{token}")

    told = {name: (stack.folder.logs / f"{name}.log").read_text() for name in SERVICES}
    async with httpx.AsyncClient() as client:
        for name in SERVICES[:3]:
            told[f"metrics of {name}"] = (await client.get(f"{stack.url(name)}/metrics")).text
    for where, text in told.items():
        for secret in ("Geheim", "geheim", arrived["email"], token):
            assert secret not in text, f"{secret} in {where}"


@pytest.mark.parametrize("name", SERVICES[:3])
async def test_services_are_alive_ready_and_measured(stack: Stack, name: str) -> None:
    async with httpx.AsyncClient(base_url=stack.url(name)) as client:
        for path in ("/health/live", "/health/ready"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"faults": []})
        assert "python_info" in (await client.get("/metrics")).text
