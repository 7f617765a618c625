"""Which role and which scope may do what, at every route of the public APIs."""

import json
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from contracts.rights import RIGHTS_OF, Role
from tests.conftest import Stack
from tests.support import PATIENCE, Practice

SOME = str(uuid4())
READ, WRITE, DELETE, STATUS, AUDIT, HOST = (
    *("appointments:read", "appointments:write", "appointments:delete"),
    *("status:read", "audit:read", "visits:host"),
)
CANCEL, CORRECT, LINKS = "appointments:cancel", "appointments:correct", "links:read"
# Everything the two APIs offer with the right that it needs. Right or not, nothing is changed:
# the appointment is not there and the forms are empty.
# Of several one suffices, as far as the request goes.
ROUTES: dict[tuple[str, str, str], str | tuple[str, ...]] = {
    ("scheduling", "POST", "/v1/appointments"): WRITE,
    ("scheduling", "GET", "/v1/appointments"): READ,
    ("scheduling", "POST", "/v1/appointments/search"): READ,
    ("scheduling", "GET", "/v1/appointments/{appointment_id}"): READ,
    ("scheduling", "PATCH", "/v1/appointments/{appointment_id}"): (WRITE, CORRECT),
    ("scheduling", "DELETE", "/v1/appointments/{appointment_id}"): (DELETE, CANCEL),
    ("scheduling", "GET", "/v1/appointments/{appointment_id}/patient-link"): LINKS,
    ("scheduling", "POST", "/v1/appointments/{appointment_id}/erasure"): DELETE,
    ("scheduling", "POST", "/v1/appointments/{appointment_id}/invitations"): WRITE,
    ("scheduling", "POST", "/v1/appointments/{appointment_id}/follow-ups"): WRITE,
    ("scheduling", "POST", "/v1/appointments/{appointment_id}/send-now"): WRITE,
    ("scheduling", "GET", "/v1/sms-time"): READ,
    ("scheduling", "POST", "/v1/addresses/lookup"): READ,
    ("scheduling", "POST", "/v1/appointments/{appointment_id}/room"): HOST,
    ("scheduling", "GET", "/v1/proofs/{appointment_id}"): READ,
    ("scheduling", "POST", "/v1/proofs/export"): READ,
    ("scheduling", "GET", "/v1/practice"): READ,
    ("scheduling", "GET", "/v1/audit"): AUDIT,
    ("scheduling", "GET", "/v1/audit/export"): AUDIT,
    ("scheduling", "POST", "/v1/audit/export"): AUDIT,
    ("status", "GET", "/v1/indicators"): STATUS,
    ("status", "GET", "/v1/indicators/stream"): STATUS,
    ("status", "GET", "/v1/indicators/{appointment_id}"): STATUS,
    ("status", "GET", "/v1/timelines"): STATUS,
    ("status", "GET", "/v1/measures"): STATUS,
    ("status", "GET", "/v1/measures/weeks"): STATUS,
}
OPEN = {"/v1/tokens", "/v1/jwks", "/besuch/{token}"}


def one_of(needed: str | tuple[str, ...]) -> tuple[str, ...]:
    return (needed,) if isinstance(needed, str) else needed


def described() -> dict[tuple[str, str, str], list[dict[str, list[str]]]]:
    found = {}
    for service in ("scheduling", "status"):
        text = Path(f"contracts/openapi/{service}.json").read_text()
        for path, methods in json.loads(text)["paths"].items():
            for method, operation in methods.items():
                if path not in OPEN:
                    found[service, method.upper(), path] = operation.get("security", [])
    return found


def test_every_route_names_its_right() -> None:
    assert described() == {
        route: [{"token": [right]} for right in one_of(needed)] for route, needed in ROUTES.items()
    }


def test_practices_are_set_up_with_an_operators_key_alone() -> None:
    described = json.loads(Path("contracts/openapi/scheduling-operations.json").read_text())[
        "paths"
    ]
    operations = [
        operation
        for path, methods in described.items()
        for operation in methods.values()
        if path.startswith("/v1/admin/")
    ]
    assert len(operations) == 4
    assert all(operation["security"] == [{"operatorKey": []}] for operation in operations)


async def ask(stack: Stack, route: tuple[str, str, str], token: str) -> httpx.Response:
    service, method, path = route
    url = stack.url(service) + path.replace("{appointment_id}", SOME)
    body = b"{}" if method in {"POST", "PATCH"} else None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream(method, url, headers=headers, content=body) as response,
    ):
        if response.headers["content-type"].startswith("application"):
            await response.aread()
        return response


@pytest.mark.parametrize("role", [*Role, None])
async def test_a_role_may_do_its_work_and_nothing_else(
    practice: Practice, stack: Stack, role: Role | None
) -> None:
    token = stack.token(practice.id, roles=[role] if role else ["stranger"])
    rights = {right.value for right in RIGHTS_OF[role]} if role else set()
    assert (DELETE in rights) == (role is Role.APPOINTMENT_ADMIN)
    assert (AUDIT in rights) == (role is Role.APPOINTMENT_ADMIN)
    for route, needed in ROUTES.items():
        response = await ask(stack, route, token)
        if rights & {*one_of(needed)}:
            assert response.status_code in {200, 404, 422}, route
            continue
        assert response.status_code == 403, route
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"] == "missing-right"
        assert response.json()["needed"] == sorted(one_of(needed))
        assert 'error="insufficient_scope"' in response.headers["www-authenticate"]


async def test_an_assistant_can_not_delete_and_the_admin_can(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    path = f"/v1/appointments/{created['id']}"
    for role, status in (("assistant", 403), ("practitioner", 403), ("appointment_admin", 204)):
        headers = {"Authorization": f"Bearer {stack.token(practice.id, roles=[role])}"}
        response = await practice.scheduling.delete(path, headers=headers)
        assert response.status_code == status
    assert (await practice.scheduling.get(path)).status_code == 404


async def test_a_token_without_a_practice_gets_nowhere(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.token(None)}"}
    async with httpx.AsyncClient(headers=headers, timeout=PATIENCE) as client:
        for url in ("scheduling", "/v1/practice"), ("status", f"/v1/indicators/{SOME}"):
            response = await client.get(stack.url(url[0]) + url[1])
            assert (response.status_code, response.json()["type"]) == (403, "no-practice")
