"""A collector of traces on loopback: takes OTLP over HTTP and keeps the spans it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What arrived; `url` is what the exporter is told."""

    def __init__(self, url: str) -> None:
        self.url = url
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

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take one request."""
            taken.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attributes(span: Any) -> dict[str, Any]:  # noqa: ANN401 — a message of protobuf.
    """Return a span's attributes as plain values."""
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
    }
