"""Appointments are found over HTTP: by name in a body, by days page by page."""

from typing import Any

from tests.support import Json, Practice, berlin_day, utc

SEARCH = "/v1/appointments/search"


def day(count: int) -> str:
    return berlin_day(count).isoformat()


async def found(practice: Practice, **body: Any) -> Json:
    answer = await practice.scheduling.post(SEARCH, json=body)
    assert answer.status_code == 200, answer.text
    shown: Json = answer.json()
    return shown


async def test_a_patient_is_found_by_name_over_all_days(practice: Practice) -> None:
    near = await practice.create(patient_name="Erika Müller-Lüdenscheidt", date=day(2))
    far = await practice.create(patient_name="Hans Mueller", date=day(200))
    await practice.create(patient_name="Hans Maier", date=day(3))
    page = await found(practice, query="müller")
    listed = {"time_zone": "Europe/Berlin", "appointments": [far, near]}
    assert page == listed | {"kind": "page", "next": None}
    assert (await found(practice, query="luden erika"))["appointments"] == [near]
    assert (await found(practice, query="müller", to=day(100)))["appointments"] == [near]
    assert (await found(practice, **{"query": "müller", "from": day(100)}))["appointments"] == [far]
    first = await found(practice, query="müller", limit=1)
    assert first["appointments"] == [far]
    rest = await found(practice, query="müller", limit=1, cursor=first["next"])
    assert (rest["appointments"], rest["next"]) == ([near], None)


async def test_what_is_wrong_with_a_search_is_told_by_field(practice: Practice) -> None:
    for body, field in (
        ({"query": "m"}, "query"),
        ({}, "query"),
        ({"query": "müller", "cursor": "x"}, "cursor"),
        ({"query": "müller", "from": day(2), "to": day(1)}, "to"),
        ({"query": "müller", "page": 2}, "page"),
    ):
        answer = await practice.scheduling.post(SEARCH, json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_days_are_listed_page_by_page(practice: Practice) -> None:
    made = [await practice.create(date=day(count)) for count in (2, 3, 5)]
    params: dict[str, Any] = {"from": day(2), "to": day(4), "limit": 1}
    pages = []
    while True:
        answer = (await practice.scheduling.get("/v1/appointments", params=params)).json()
        pages.append(answer["appointments"])
        if answer["next"] is None:
            break
        params["cursor"] = answer["next"]
    assert pages == [[made[0]], [made[1]]]


async def test_a_list_is_of_a_day_or_of_days_or_of_ids(practice: Practice) -> None:
    for params, field in (
        ({"date": day(2), "from": day(2), "to": day(2)}, "from"),
        ({"from": day(2)}, "to"),
        ({"to": day(2)}, "from"),
        ({"from": day(2), "to": day(368)}, "to"),
        ({}, "date"),
    ):
        answer = await practice.scheduling.get("/v1/appointments", params=params)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_an_empty_day_says_when_the_next_appointment_starts(practice: Practice) -> None:
    coming = await practice.create(date=day(9))

    async def shown(date: str) -> Json:
        answer: Json = (
            await practice.scheduling.get("/v1/appointments", params={"date": date})
        ).json()
        return answer

    assert utc((await shown(day(2)))["next_start"]) == utc(coming["start"])
    assert (await shown(day(9)))["next_start"] is None
    assert (await shown(day(10)))["next_start"] is None
