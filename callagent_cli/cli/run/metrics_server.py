"""What `run --metrics-port` and a set trace exporter add to a run."""

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from callagent_cli.cli.run.trace_export import VARIABLE, tracing
from callagent_cli.clock import Clock
from callagent_cli.errors import UsageError
from callagent_cli.events import Bus
from callagent_cli.reporting.metrics import Metrics
from callagent_cli.reporting.traces import Traces


@contextmanager
def observed(
    bus: Bus,
    clock: Clock,
    *,
    port: int | None,
    totals: Mapping[str, int],
    lanes: int,
    services: Mapping[str, str],
) -> Iterator[None]:
    """Serve metrics on loopback and export traces while a run lasts, as far as they are wanted.

    Raises `SettingsError` when an extra is missing and `UsageError` when the port is taken.
    """
    with ExitStack() as stack:
        if port is not None:
            metrics = Metrics(totals=totals, lanes=lanes, services=services)
            stack.callback(_serve(metrics, port))
            bus.listen(metrics)
        if os.environ.get(VARIABLE):
            traces = Traces(stack.enter_context(tracing(bus)))
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
