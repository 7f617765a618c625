"""Spans come in as the SDK sends them, and are a tree on a page, whatever somebody calls them."""

import re

import pytest
from fastapi.testclient import TestClient
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_trace_id

from local.traces.store import Store
from local.traces.web import LARGEST_BODY, PROTOBUF, create_app


@pytest.fixture
def page() -> TestClient:
    return TestClient(create_app(Store()), base_url="http://127.0.0.1")


def post(page: TestClient, body: bytes, **headers: str) -> int:
    answer = page.post("/v1/traces", content=body, headers={"Content-Type": PROTOBUF, **headers})
    return int(answer.status_code)


def a_click_whose_mail_failed() -> tuple[str, bytes]:
    """The trace's id, and what the exporter of a service writes of it."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "<b>dashboard"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("einladung")
    with tracer.start_as_current_span("POST /<script>") as click:
        click.set_attribute("http.route", '"><img src=x>')
        with tracer.start_as_current_span("send email") as mail:
            mail.set_status(StatusCode.ERROR)
    trace_id = format_trace_id(click.get_span_context().trace_id)
    return trace_id, encode_spans(kept.get_finished_spans()).SerializeToString()


def test_a_trace_is_listed_found_and_shown_as_a_tree(page: TestClient) -> None:
    trace_id, body = a_click_whose_mail_failed()
    assert "None yet." in page.get("/").text
    assert post(page, body) == 200
    for asked in ("", trace_id, trace_id[:8].upper(), "send email"):
        assert f"/traces/{trace_id}" in page.get("/", params={"q": asked}).text
    assert "None speaks of that." in page.get("/", params={"q": "send sms"}).text
    shown = page.get(f"/traces/{trace_id}").text
    assert re.findall(r'<li class="depth-(\d)">', shown) == ["0", "1"]
    assert shown.index("POST") < shown.index("send email") < shown.index(">error<")
    assert page.get("/traces/none").status_code == 404


def test_names_and_attributes_are_text(page: TestClient) -> None:
    trace_id, body = a_click_whose_mail_failed()
    post(page, body)
    for answer in (
        page.get("/"),
        page.get(f"/traces/{trace_id}"),
        page.get("/", params={"q": '"><script>'}),
    ):
        assert not re.search("<script|<b>|<img", answer.text)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_only_spans_are_taken_and_only_from_this_machine_s_name(page: TestClient) -> None:
    assert post(page, b"\xff\xff") == 400
    assert post(page, b"{}", **{"Content-Type": "application/json"}) == 415
    assert post(page, b"", **{"Content-Encoding": "gzip"}) == 415
    assert post(page, b"", Host="elsewhere.example") == 400
    assert post(page, bytes(LARGEST_BODY + 1)) == 413
