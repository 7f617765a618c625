"""The newest spans by trace, in memory, no more than so many of them."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

MOST_SPANS = 20_000  # in all; those of the trace that was longest left alone go first
MOST_OF_A_TRACE = 1000
MOST_ATTRIBUTES = 20
LONGEST_TEXT = 200
SERVICE = "service.name"


class NotUnderstood(ValueError):
    """What came is no ExportTraceServiceRequest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span; ids in hexadecimal, times in nanoseconds since 1970."""

    trace_id: str
    id: str
    parent_id: str  # empty: it has none
    service: str
    name: str
    begin: int
    end: int
    failed: bool
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """The spans of one trace that have come, by their begin."""

    id: str
    spans: Sequence[Span]

    @property
    def root(self) -> Span:
        """What it began with, as far as that has come."""
        return next((span for span in self.spans if not span.parent_id), self.spans[0])

    @property
    def begin(self) -> int:
        """In nanoseconds since 1970."""
        return self.spans[0].begin

    @property
    def duration(self) -> int:
        """From the first begin to the last end, in nanoseconds."""
        return max(span.end for span in self.spans) - self.begin

    @property
    def services(self) -> Sequence[str]:
        """Those that took part, in the order in which they did."""
        return list(dict.fromkeys(span.service for span in self.spans))

    @property
    def failed(self) -> bool:
        """Whether a part of it did."""
        return any(span.failed for span in self.spans)

    def speaks_of(self, words: str) -> bool:
        """Whether `words` are of its id, or of a name in it."""
        words = words.strip().lower()
        return words in self.id or any(
            words in f"{span.service} {span.name}".lower() for span in self.spans
        )


class Store:
    """Spans come in any order, and again when their sender did not hear that they had come."""

    def __init__(self, *, most: int = MOST_SPANS, most_of_a_trace: int = MOST_OF_A_TRACE) -> None:
        self._most = most
        self._most_of_a_trace = most_of_a_trace
        self._traces: OrderedDict[str, dict[str, Span]] = OrderedDict()
        self._count = 0

    def add(self, spans: Iterable[Span]) -> None:
        """Take spans in; a trace that has too many keeps its first."""
        for span in spans:
            of_trace = self._traces.setdefault(span.trace_id, {})
            self._traces.move_to_end(span.trace_id)
            if span.id not in of_trace and len(of_trace) < self._most_of_a_trace:
                of_trace[span.id] = span
                self._count += 1
            while self._count > self._most:
                _, gone = self._traces.popitem(last=False)
                self._count -= len(gone)

    def newest_first(self) -> Iterator[Trace]:
        """All traces, the one that began last first."""
        traces = [self._trace(each) for each in self._traces]
        yield from sorted(traces, key=lambda trace: trace.begin, reverse=True)

    def trace(self, trace_id: str) -> Trace | None:
        """One of them."""
        return self._trace(trace_id) if trace_id in self._traces else None

    def _trace(self, trace_id: str) -> Trace:
        spans = self._traces[trace_id].values()
        return Trace(trace_id, sorted(spans, key=lambda span: span.begin))


def spans_of(body: bytes) -> Iterator[Span]:
    """The spans of an ExportTraceServiceRequest, shortened where long. Raises NotUnderstood."""
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise NotUnderstood from error
    for resource in request.resource_spans:
        service = _texts(resource.resource.attributes).get(SERVICE, "?")
        for scope in resource.scope_spans:
            for span in scope.spans:
                if not span.trace_id or not span.span_id:
                    continue  # invalid, says OTLP
                yield Span(
                    trace_id=span.trace_id[:16].hex(),
                    id=span.span_id[:8].hex(),
                    parent_id=span.parent_span_id[:8].hex(),
                    service=service,
                    name=span.name[:LONGEST_TEXT],
                    begin=span.start_time_unix_nano,
                    end=max(span.start_time_unix_nano, span.end_time_unix_nano),
                    failed=span.status.code == Status.STATUS_CODE_ERROR,
                    attributes=_texts(span.attributes[:MOST_ATTRIBUTES]),
                )


def _texts(attributes: Sequence[Any]) -> dict[str, str]:
    """Attributes with plain values; others are none that we send."""
    texts: dict[str, str] = {}
    for each in attributes:
        kind = each.value.WhichOneof("value")
        if kind in {"string_value", "int_value", "bool_value", "double_value"}:
            value = str(getattr(each.value, kind))
            texts[each.key[:LONGEST_TEXT]] = value[:LONGEST_TEXT]
    return texts
