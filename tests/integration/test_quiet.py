"""No patient data in what the processes write down or count, whatever is sent to them."""

from uuid import uuid4

from tests.conftest import Stack
from tests.support import Practice, http_client, unused_phone
from tests.support.visitor import Visitor, new_visitor


async def test_no_name_address_or_link_in_logs_or_metrics(practice: Practice, stack: Stack) -> None:
    mark = uuid4().hex[:10]
    name, number = f"Zz{mark} Marke", unused_phone()
    good, bad = f"zz{mark}@example.org", f"unbekannt@zz{mark}.example.org"
    links = []
    for address, indicator in ((good, "delivered"), (bad, "failed")):
        created = await practice.create(
            patient_name=name, email=address, phone=number, channels=["email", "sms"]
        )
        await practice.shows(created["id"], indicator)
        links += [mail["text"] for mail in await practice.mails(address)]
    token = links[0].partition("/besuch/")[2].split()[0]
    await send_nonsense(practice, stack, name, good, number)
    async with new_visitor(stack) as visitor, http_client() as client:
        await send_nonsense_by_dashboard(visitor, name)
        await client.get(f"{stack.url('scheduling')}/besuch/{token}")
        await client.get(f"{stack.url('scheduling')}/besuch/{token}x")
        counted = [
            (await client.get(f"{stack.operations_url(each)}/metrics")).text
            for each in stack.in_use
        ]
    written = [
        log.read_text(errors="replace")
        for log in stack.folder.logs.glob("*.log")
        if log.name.removesuffix(".log") in stack.in_use
    ]
    assert len(written) == len(stack.in_use)
    for secret in (mark, number.removeprefix("+"), token):
        for text in (*written, *counted):
            assert secret not in text


async def send_nonsense(
    practice: Practice, stack: Stack, name: str, address: str, number: str
) -> None:
    """Everything that is refused, each with the patient's data in it."""
    bodies = (
        practice.form(patient_name=f"{name}\x00", email=f"{address}@", phone=f"{number}x"),
        practice.form(patient_name=name, email=address, date="2000-01-01", extra=name),
        {name: address},
        [name],
    )
    path = "/v1/appointments"
    for body in bodies:
        assert (await practice.scheduling.post(path, json=body)).status_code == 422
    json = {"Content-Type": "application/json"}
    for content in (f'{{"patient_name": "{name}', name * 10_000, "[" * 9000 + name):
        answer = await practice.scheduling.post(path, content=content, headers=json)
        assert answer.status_code in {400, 413, 422}
    for query in (name, address, number, f"{name}\x00"):
        await practice.scheduling.get(path, params={"date": query})
        await practice.status.get("/v1/indicators", params={"appointment_id": query})
        await practice.scheduling.get(f"/v1/appointments/{query.encode().hex()}{number}")
    headers = {"Authorization": f"Bearer {name}", "X-Name": name, "Idempotency-Key": name}
    assert (await practice.scheduling.get(path, headers=headers)).status_code == 401
    await practice.scheduling.post("/v1/tokens", data={"grant_type": name}, auth=(name, number))
    async with http_client(base_url=stack.url("notification")) as client:
        answer = await client.post("/v1/receipts/webhook", content=f"{number} {name}")
        assert answer.status_code == 401


async def send_nonsense_by_dashboard(visitor: Visitor, name: str) -> None:
    await visitor.log_in()
    base = visitor.stack.url("dashboard")
    for method, path in (
        ("POST", "/api/scheduling/appointments"),
        ("GET", f"/api/scheduling/appointments?date={name}"),
        ("GET", f"/login?zurueck={name}"),
        ("GET", f"/login/callback?code={name}&state={name}"),
    ):
        await visitor.http.request(method, base + path, headers=visitor.own, content=name)
