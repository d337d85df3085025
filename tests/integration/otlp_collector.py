"""A collector of traces on loopback: takes OTLP over HTTP and keeps the spans it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from threaded_server import Answer, Asked, answering


class Collector:
    """What arrived; `url` is what the exporter is told."""

    def __init__(self) -> None:
        self.url = ""
        self.paths: set[str] = set()
        self.raw = b""
        self.service_names: set[str] = set()
        self.spans: list[Any] = []

    def take(self, path: str, body: bytes) -> None:
        """Parse one request."""
        request = ExportTraceServiceRequest.FromString(body)
        self.paths.add(path)
        self.raw += body
        for resource in request.resource_spans:
            for attribute in resource.resource.attributes:
                if attribute.key == "service.name":
                    self.service_names.add(attribute.value.string_value)
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def traces(self) -> dict[bytes, list[Any]]:
        """Return the spans by trace."""
        found: dict[bytes, list[Any]] = {}
        for span in self.spans:
            found.setdefault(span.trace_id, []).append(span)
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    """Serve a collector while the block runs."""
    taken = Collector()

    def answer(asked: Asked) -> Answer:
        taken.take(asked.path, asked.body)
        return 200, {}, b""

    with answering(answer) as taken.url:
        yield taken


def attributes(span: Any) -> dict[str, Any]:  # noqa: ANN401 — a message of protobuf.
    """Return a span's attributes as plain values."""
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
    }
