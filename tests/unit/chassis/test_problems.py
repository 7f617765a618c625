"""Every refusal has a code, a page that its type leads to, and words in the language asked for."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from fastapi import Request
from fastapi_problem.error import StatusProblem

from chassis.problems import FIELD_CODES, FieldError, InvalidInput, KnownProblem
from chassis.said import Said
from chassis.service import Application
from contracts.problems import catalogue
from services.scheduling import phone_numbers
from services.scheduling import problems as scheduling_problems
from services.scheduling.app import build
from services.scheduling.bounds import Bound
from services.scheduling.settings import Settings
from services.status import problems as status_problems
from services.webhooks import problems as webhooks_problems
from tests.support.forms import NOW
from tests.support.settings import SCHEDULING

ROOT = Path(__file__).parents[3]
ALL_CODES = {
    *FIELD_CODES,
    *scheduling_problems.FIELD_CODES,
    *status_problems.FIELD_CODES,
    *webhooks_problems.FIELD_CODES,
}


@pytest.fixture(scope="module")
def app() -> Application:
    app = build(Settings(**dict[str, Any](SCHEDULING)))

    @app.get("/begun")
    async def begun() -> None:
        raise scheduling_problems.Begun

    @app.get("/bounded")
    async def bounded() -> None:
        raise scheduling_problems.TooManyMessages(Bound.COUNTRY, 50, NOW, 60)

    @app.post("/sent")
    async def sent(request: Request) -> int:
        return len(await request.body())

    @app.get("/invalid")
    async def invalid() -> None:
        raise InvalidInput([FieldError("x", "missing", Said("Fehlt.", "It lacks."), ["y"])])

    return app


async def ask(app: Application, path: str, language: str | None = None) -> httpx.Response:
    headers = {} if language is None else {"Accept-Language": language}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://x", trust_env=False
    ) as client:
        return await client.get(path, headers=headers)


async def test_who_asks_in_english_reads_english_and_everybody_else_german(
    app: Application,
) -> None:
    for language in (None, "de", "fr"):
        answer = await ask(app, "/begun", language)
        assert answer.json() == {
            "type": "/v1/problems/appointment-begun",
            "code": "appointment-begun",
            "title": "Der Termin hat bereits begonnen.",
            "detail": "Der Termin hat bereits begonnen.",
            "status": 409,
        }
        assert answer.headers["Content-Language"] == "de"
    answer = await ask(app, "/begun", "en-GB, de;q=0.5")
    assert answer.json()["title"] == answer.json()["detail"] == "The appointment has already begun."
    assert answer.headers["Content-Language"] == "en"
    assert answer.headers["Vary"] == "Accept-Language"
    assert int(answer.headers["Content-Length"]) == len(answer.content)


async def test_sentences_that_are_made_and_those_of_fields_are_in_both(app: Application) -> None:
    german, english = [(await ask(app, "/bounded", each)).json()["detail"] for each in ("de", "en")]
    assert german.endswith("Weitere sind ab 24.11., 12:00 Uhr möglich.")
    assert english.startswith("50 text messages were sent to this country")
    assert english.endswith("More can be sent from 24 November, 12:00.")
    [error] = (await ask(app, "/invalid", "en")).json()["errors"]
    assert error == {"field": "x", "code": "missing", "message": "It lacks.", "options": ["y"]}


async def test_the_type_leads_to_a_page_of_the_problem(app: Application) -> None:
    for path in ("/begun", "/nowhere", "/invalid"):
        problem = (await ask(app, path, "en")).json()
        for shown in (app, app.operations):
            page = await ask(shown, problem["type"])
            assert page.status_code == 200
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert problem["title"] in page.text
            assert problem["code"] in page.text
    # of another service, and of a field: one host may stand before all of them
    assert "no indicator" in (await ask(app, "/v1/problems/no-indicator")).text
    assert "dead_address" in (await ask(app, "/v1/problems/invalid-input")).text
    assert (await ask(app, "/v1/problems/none")).status_code == 404


def problems_of(kind: type[StatusProblem]) -> Iterator[type[StatusProblem]]:
    for each in kind.__subclasses__():
        if each.__module__.partition(".")[0] in ("chassis", "services", "dashboard"):
            yield each
        yield from problems_of(each)


def test_every_problem_is_in_the_catalogue_with_all_its_words() -> None:
    for kind in problems_of(StatusProblem):
        assert issubclass(kind, KnownProblem), kind
        if "title" in kind.__dict__:
            assert isinstance(kind.title, Said), kind
            assert isinstance(kind.advice, Said), kind
            assert kind.type_ in catalogue()["problems"], kind
            assert kind.title != kind.title.english, kind


def codes_in_the_code() -> Iterator[str]:
    """What stands as the code of a FieldError, or in `forms` of a fault that is added."""
    for path in (*ROOT.glob("services/**/*.py"), *ROOT.glob("chassis/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            code = node.args[1]
            if name in ("FieldError", "_add") and isinstance(code, ast.Constant):
                yield str(code.value)
    yield from phone_numbers.NumberFault


def test_every_code_of_a_field_is_told_of_and_none_that_is_not_used() -> None:
    assert {*codes_in_the_code(), *FIELD_CODES} == ALL_CODES == {*catalogue()["field_codes"]}


async def test_who_goes_away_while_sending_is_no_failure_of_ours(app: Application) -> None:
    """Else anybody could have operations called."""
    messages = iter(
        [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
    )
    answered: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/sent",
        "raw_path": b"/sent",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("x", 80),
        "http_version": "1.1",
    }
    with structlog.testing.capture_logs() as logged:
        await app(scope, receive, send)
    assert answered[0]["status"] == 400
    assert [each for each in logged if each["log_level"] in ("error", "critical")] == []
