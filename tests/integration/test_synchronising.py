"""Another system keeps a copy over the API, as docs/synchronising.md says."""

import httpx

from tests.support import Json, Practice, eventually


async def test_a_copy_over_the_api(practice: Practice) -> None:
    kept, gone = await practice.create(), await practice.create()
    since = "1970-01-01T00:00:00Z"
    query: Json = {"updated_since": since, "limit": 1}
    seen: list[Json] = []
    while True:
        answer = await practice.scheduling.get("/v1/appointments", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        seen += page["appointments"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert [each["id"] for each in seen] == [kept["id"], gone["id"]]
    assert seen[0]["patient_name"] == kept["patient_name"]
    assert seen[0]["updated_at"] == kept["updated_at"]

    path = f"/v1/appointments/{gone['id']}"
    await practice.scheduling.delete(path, params={"notify": False})
    answer = await practice.scheduling.get(
        "/v1/appointments", params={"updated_since": seen[-1]["updated_at"]}
    )
    [tombstone] = answer.json()["appointments"]
    assert tombstone == {
        "id": gone["id"],
        "version": 2,
        "deleted": True,
        "erased": False,
        "updated_at": tombstone["updated_at"],
    }
    assert tombstone["updated_at"] > seen[-1]["updated_at"]
    misspelt = await practice.scheduling.get("/v1/appointments", params={"updated_sinc": since})
    assert [each["code"] for each in misspelt.json()["errors"]] == ["unknown"]


async def test_who_has_it_already_is_spared_it_and_head_is_answered(practice: Practice) -> None:
    made = await practice.create()
    await practice.shows(made["id"], "delivered")
    for client, path in (
        (practice.scheduling, f"/v1/appointments/{made['id']}"),
        (practice.status, f"/v1/indicators/{made['id']}"),
    ):

        async def spared(client: httpx.AsyncClient = client, path: str = path) -> bool:
            whole, head = await client.get(path), await client.head(path)
            assert (head.status_code, head.content) == (200, b"")
            known = {"If-None-Match": f"W/{whole.headers['ETag']}"}
            same = await client.get(path, headers=known)
            # A receipt may have come in between.
            return (same.status_code, same.content, head.headers["Content-Length"]) == (
                304,
                b"",
                whole.headers["Content-Length"],
            )

        await eventually(spared, f"304 of {path}")
    stream = await practice.status.head("/v1/indicators/stream")
    assert stream.headers["Content-Type"].startswith("text/event-stream")
    refused = await practice.scheduling.put("/v1/appointments")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST")
