"""The Python client against services that fail, wait, cut off and repeat themselves."""

import json
from collections.abc import Callable, Iterator
from datetime import date, time
from itertools import islice, pairwise
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from einladung_client import (
    Deleted,
    Einladung,
    Indicator,
    Installation,
    Moved,
    NewAppointment,
    OpenCount,
    Ready,
    Refused,
    Unreachable,
    models,
)
from einladung_client.models import Appointment, Booked
from einladung_client.watching import KINDS, lines, messages
from tools.generate import CONTRACTS

Json = dict[str, Any]
Answerer = Callable[[httpx.Request], httpx.Response]

AT = Installation("http://scheduling", "http://status", "ek_1", "es_1")
VISIT = NewAppointment(
    patient_name="Erika Muster",
    channels=["email"],
    email="erika@example.org",
    date=date(2026, 12, 1),
    time=time(14, 30),
    consent=True,
)


def described(service: str, name: str) -> Json:
    text = (CONTRACTS / "openapi" / f"{service}.json").read_text()
    found: Json = json.loads(text)["components"]["schemas"][name]
    return found


APPOINTMENT = described("scheduling", "AppointmentView")["examples"][0]
INDICATOR = described("status", "IndicatorView")["examples"][0]
SEEN = Booked.model_validate(APPOINTMENT)


class Services:
    """Both APIs: `answers` one after the other, the last one for good; what was asked is kept."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.tokens = 0
        self.slept: list[float] = []
        self.at = 0.0

    def client(self) -> Einladung:
        return Einladung(
            AT, transport=httpx.MockTransport(self._answer), sleep=self._sleep, now=lambda: self.at
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/tokens":
            self.tokens += 1
            assert request.headers["Authorization"].startswith("Basic ")
            told = {"access_token": f"t{self.tokens}", "token_type": "Bearer", "expires_in": 300}
            return httpx.Response(200, json=told)
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def good() -> httpx.Response:
    return httpx.Response(201, json=APPOINTMENT)


def busy(after: str) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": after}, json={"title": "Too many."})


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    services = Services(good())
    with services.client() as einladung:
        for at, tokens in ((0, 1), (269, 1), (271, 2), (272, 2)):
            services.at = at
            einladung.invite(VISIT)
            assert services.tokens == tokens
            assert services.asked[-1].headers["Authorization"] == f"Bearer t{tokens}"


def test_a_token_that_is_refused_is_fetched_anew_once() -> None:
    services = Services(httpx.Response(401, json={}), good())
    services.client().invite(VISIT)
    assert services.tokens == 2
    with pytest.raises(Refused) as refused:
        Services(httpx.Response(401, json={"type": "not-authenticated"})).client().invite(VISIT)
    assert (refused.value.status, refused.value.type) == (401, "not-authenticated")


def test_what_is_sent_again_has_the_same_key() -> None:
    services = Services(httpx.ReadError("cut off"), busy("7"), httpx.Response(503), good())
    created = services.client().invite(VISIT)
    assert isinstance(created, Appointment)
    assert created.id == UUID(APPOINTMENT["id"])
    keys = {request.headers["Idempotency-Key"] for request in services.asked}
    assert (len(services.asked), len(keys)) == (4, 1)
    assert 7 <= services.slept[1] <= 7 * 1.2
    bodies = [json.loads(request.content) for request in services.asked]
    assert bodies[0]["time"] == "14:30"
    assert "phone" not in bodies[0]
    services.client().invite(VISIT, idempotency_key="ours")
    assert services.asked[-1].headers["Idempotency-Key"] == "ours"


def test_two_calls_are_two_invitations() -> None:
    services = Services(good())
    einladung = services.client()
    einladung.invite(VISIT)
    einladung.invite(VISIT)
    first, second = (request.headers["Idempotency-Key"] for request in services.asked)
    assert first != second


def test_it_gives_up_in_the_end() -> None:
    services = Services(httpx.ConnectError("nobody there"))
    with pytest.raises(Unreachable):
        services.client().invite(VISIT)
    assert len(services.asked) == 5
    services = Services(busy("1"))
    with pytest.raises(Refused) as refused:
        services.client().invite(VISIT)
    assert (refused.value.status, len(services.asked)) == (429, 5)
    services = Services(busy("86400"))  # a day's bound, say
    with pytest.raises(Refused):
        services.client().invite(VISIT)
    assert (len(services.asked), services.slept) == (1, [])


def test_what_could_be_done_twice_is_sent_again_only_if_it_never_left() -> None:
    services = Services(httpx.ReadError("cut off"), good())
    with pytest.raises(Unreachable):
        services.client().move(SEEN, time=time(15, 0))
    services = Services(httpx.ConnectError("not yet"), good())
    services.client().move(SEEN, time=time(15, 0), notify=False)
    sent = services.asked[-1]
    assert sent.headers["If-Match"] == '"1"'
    assert json.loads(sent.content) == {"time": "15:00", "notify": False}


def test_a_refusal_says_what_is_wrong() -> None:
    fault = {"field": "email", "code": "dead_address", "message": "Kommt nicht an."}
    problem = {"type": "invalid-input", "title": "Not valid.", "errors": [fault], "new": 1}
    with pytest.raises(Refused, match=r"email: Kommt nicht an\.") as refused:
        Services(httpx.Response(422, json=problem)).client().invite(VISIT)
    assert refused.value.errors[0].code == "dead_address"
    for foreign in (httpx.Response(502, text="<h1>"), httpx.Response(502, json={"errors": ["x"]})):
        with pytest.raises(Refused, match="502") as refused:
            Services(foreign).client().invite(VISIT)
        assert not refused.value.errors


def test_what_is_not_there_is_none() -> None:
    einladung = Services(httpx.Response(404, json={"title": "None."})).client()
    assert einladung.appointment(SEEN.id) is None
    assert einladung.indicator(SEEN.id) is None


def test_lists_are_read_to_their_end() -> None:
    services = Services(
        httpx.Response(200, json={"indicators": [INDICATOR], "next": "c1", "open_count": 2}),
        httpx.Response(200, json={"indicators": [INDICATOR], "next": None, "open_count": 2}),
    )
    assert [each.overall for each in services.client().open()] == ["delivered"] * 2
    assert services.asked[-1].url.params["cursor"] == "c1"
    services = Services(httpx.Response(200, json={"appointments": []}))
    services.client().appointments_named([SEEN.id] * 250)
    assert [len(each.url.params.get_list("id")) for each in services.asked] == [100, 100, 50]


def event(name: str, data: Json, version: int | None = None) -> str:
    head = "" if version is None else f"id: {version}\n"
    return f"event: {name}\n{head}data: {json.dumps(data)}\n\n"


def indicator(version: int) -> str:
    return event("indicator", INDICATOR | {"version": version}, version)


def streamed(text: str, *, then: Exception | None = None) -> httpx.Response:
    def parts() -> Iterator[bytes]:
        yield text.encode()
        if then is not None:
            raise then

    return httpx.Response(200, content=parts())


def test_a_watch_goes_on_where_it_stopped_and_tells_nothing_twice() -> None:
    where = {"appointment_id": INDICATOR["appointment_id"]}
    services = Services(
        streamed(
            "retry: 1500\n\n"
            + event("ready", {"version": 7}, 7)
            + event("beat", {"interval_seconds": 4})
            + event("something_new", {"x": 1}, 8)
            + indicator(9)
            + indicator(10)[:-1],  # cut off
            then=httpx.ReadError("cut off"),
        ),
        httpx.Response(503, headers={"Retry-After": "5"}),
        httpx.ConnectError("not yet"),
        streamed(
            indicator(9)
            + indicator(10)
            + event("moved", where | {"version": 11}, 11)
            + event("open_count", {"open_count": 3})
        ),
        streamed(event("deleted", where | {"version": 12}, 12)),
    )
    told = list(islice(services.client().watch(), 6))
    assert [type(each) for each in told] == [Ready, Indicator, Indicator, Moved, OpenCount, Deleted]
    assert [getattr(each, "version", None) for each in told] == [7, 9, 10, 11, None, 12]
    ids = [request.headers.get("Last-Event-ID") for request in services.asked]
    assert ids == [None, "9", "9", "9", "11"]
    assert services.asked[-1].extensions["timeout"]["read"] == 10  # two and a half beats
    assert 1.5 in services.slept


def test_a_feed_that_begins_anew_is_followed_from_there() -> None:
    services = Services(streamed(event("ready", {"version": 2}, 2) + indicator(3)))
    told = list(islice(services.client().watch(since=900), 2))
    assert services.asked[0].headers["Last-Event-ID"] == "900"
    assert [type(each) for each in told] == [Ready, Indicator]


def test_a_watch_fetches_a_new_token_and_ends_where_that_does_not_help() -> None:
    services = Services(httpx.Response(401), streamed(event("ready", {"version": 1}, 1)))
    assert next(services.client().watch()) == Ready(version=1)
    assert services.tokens == 2
    for status in (400, 401, 403):
        with pytest.raises(Refused):
            next(Services(httpx.Response(status, json={})).client().watch())


def test_a_watch_outlives_what_passes() -> None:
    services = Services(
        httpx.ReadError("cut off"),
        httpx.Response(401),  # by now its token does not hold
        httpx.Response(502, text="proxy"),
        httpx.Response(503, headers={"Retry-After": "86400"}),
        streamed(event("ready", {"version": 1}, 1)),
    )
    assert next(services.client().watch()) == Ready(version=1)
    assert max(services.slept) == 60
    assert services.tokens == 2


@given(st.text(alphabet="ab\u2028:\r é", max_size=30), st.lists(st.integers(0, 60), max_size=5))
def test_a_stream_reads_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    whole = f": comment\r\nevent: x\r\ndata: {json.dumps(text)}\ndata: 2\n\ndata:3\n\ndata: 4\n"
    raw = whole.encode()
    at = [0, *sorted(cuts), len(raw)]
    parts = [raw[begin:end] for begin, end in pairwise(at)]
    expected = [("x", f"{json.dumps(text)}\n2"), ("message", "3")]
    assert list(messages(lines(parts))) == expected


def test_a_line_without_an_end_is_not_read_for_ever() -> None:
    with pytest.raises(httpx.ReadError):
        list(lines(b"x" * 300_000 for _ in range(1000)))


TOLD: dict[type[BaseModel], tuple[str, str]] = {
    models.Appointment: ("scheduling", "AppointmentView"),
    models.Booked: ("scheduling", "BookedView"),
    models.Invitation: ("scheduling", "InvitationView"),
    models.FieldError: ("scheduling", "FieldError"),
    models.Indicator: ("status", "IndicatorView"),
    models.Channel: ("status", "ChannelView"),
    models.Ready: ("status", "PositionView"),
    models.Deleted: ("status", "DeletedView"),
    models.Moved: ("status", "MovedView"),
    models.OpenCount: ("status", "OpenView"),
}


@pytest.mark.parametrize("model", TOLD, ids=lambda model: model.__name__)
def test_what_is_read_is_what_the_contract_promises(model: type[BaseModel]) -> None:
    schema = described(*TOLD[model])
    assert model.model_fields.keys() <= schema["properties"].keys()
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    assert needed <= {*schema["required"]}
    for example in schema.get("examples", []):
        model.model_validate(example)


def test_what_is_sent_is_what_the_contract_takes() -> None:
    schema = described("scheduling", "NewAppointment")
    fields = NewAppointment.model_fields
    assert fields.keys() <= schema["properties"].keys()
    assert {*schema["required"]} <= fields.keys()
    sent = VISIT.model_dump(mode="json", exclude_none=True)
    assert {*schema["required"]} <= sent.keys()


def test_every_kind_of_event_is_known() -> None:
    api = json.loads((CONTRACTS / "openapi" / "status.json").read_text())
    answer = api["paths"]["/v1/indicators/stream"]["get"]["responses"]["200"]
    described_kinds = answer["content"]["text/event-stream"]["x-events"].keys()
    assert described_kinds == KINDS.keys() | {"beat"}
