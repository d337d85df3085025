"""What `run --metrics-port` and a set trace exporter add to a run."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from callagent_cli.clock import Clock
from callagent_cli.errors import SettingsError, UsageError
from callagent_cli.events import Bus
from callagent_cli.reporting.metrics import Metrics
from callagent_cli.reporting.traces import Traces

TRACES: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own variable: where traces go; unset, none are made."""


@contextmanager
def observed(
    bus: Bus,
    clock: Clock,
    *,
    port: int | None,
    totals: Mapping[str, int],
    lanes: int,
    services: tuple[str, ...],
) -> Iterator[None]:
    """Serve metrics on loopback and export traces while a run lasts, as far as they are wanted.

    Raises `SettingsError` when an extra is missing and `UsageError` when the port is taken.
    """
    with ExitStack() as stack:
        if port is not None:
            metrics = Metrics(totals=totals, lanes=lanes, services=services)
            stack.callback(_serve(metrics, port))
            bus.listen(metrics)
        if os.environ.get(TRACES):
            provider, tracer = _provider()
            traces = Traces(tracer)
            stack.callback(provider.shutdown)
            stack.callback(lambda: traces.close(clock.utc()))
            bus.listen(traces)
        yield


def _serve(metrics: Metrics, port: int) -> Callable[[], None]:
    """Serve the registry, and return what ends that."""
    client = importlib.import_module("prometheus_client")
    try:
        server, thread = client.start_http_server(port, addr="127.0.0.1", registry=metrics.registry)
    except OSError as error:
        message = f"cannot serve metrics on port {port}: {error.strerror}"
        raise UsageError(message, hint="choose another `--metrics-port`") from error

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def _provider() -> tuple[Any, Any]:
    """Return a tracer that exports over OTLP, and its provider."""
    try:
        sdk = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        resources = importlib.import_module("opentelemetry.sdk.resources")
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        hint = f"pip install 'callagent[otel]', or unset {TRACES}"
        raise SettingsError("traces need the packages of the extra `otel`", hint=hint) from error
    resource = resources.Resource.create({"service.name": "callagent"})
    provider = sdk.TracerProvider(resource=resource)
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    return provider, provider.get_tracer("callagent")
