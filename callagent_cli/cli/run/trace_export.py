"""Sends the spans of a run to a collector, and says so in plain words when it cannot."""

import asyncio
import importlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.crash import redacted
from callagent_cli.errors import SettingsError
from callagent_cli.events import Bus, SinkDropped

VARIABLE: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own variable: where traces go; unset, none are made."""

SEND_S: Final = 5.0
"""How long one batch may take, and how long the end of a run waits for the last ones."""

_LIBRARY: Final = "opentelemetry"
_WORDS_MAX: Final = 200
_REASON: Final = re.compile(r"\[Errno -?\d+\] ([^'\")]+)|reason: (.+)")


@contextmanager
def tracing(bus: Bus) -> Iterator[Any]:
    """Yield a tracer whose spans are exported over OTLP while a run lasts.

    Raises `SettingsError` when the extra is missing. A collector that does not answer costs
    nothing but its spans: they are sent on a thread, and what is lost is counted and told once.
    """
    sdk, export, exporter = _library()
    with _library_silenced() as words:
        lost = _Lost(exporter, bus, words)
        provider = sdk.TracerProvider(resource=_resource())
        provider.add_span_processor(export.BatchSpanProcessor(lost))
        try:
            yield provider.get_tracer("callagent")
        finally:
            # Its own end may wait for half a minute; the run has ended by then.
            ending = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
            ending.start()
            ending.join(SEND_S)
            lost.tell(unsent=ending.is_alive())


def _library() -> tuple[Any, Any, Any]:
    try:
        sdk = importlib.import_module("opentelemetry.sdk.trace")
        export = importlib.import_module("opentelemetry.sdk.trace.export")
        otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        hint = f"pip install 'callagent[otel]', or unset {VARIABLE}"
        raise SettingsError("traces need the packages of the extra `otel`", hint=hint) from error
    return sdk, export, otlp.OTLPSpanExporter(timeout=SEND_S)


def _resource() -> Any:  # noqa: ANN401 — the SDK's, where installed.
    resources = importlib.import_module("opentelemetry.sdk.resources")
    return resources.Resource.create({"service.name": "callagent"})


class _Lost:
    """Stands before the exporter and counts what it could not send; called on its thread."""

    def __init__(self, exporter: Any, bus: Bus, words: Callable[[], str]) -> None:  # noqa: ANN401 — as above.
        self._exporter, self._bus, self._words = exporter, bus, words
        self._loop = asyncio.get_running_loop()
        self.spans = 0

    def export(self, spans: Any) -> Any:  # noqa: ANN401 — as above.
        """Send a batch; one that fails is counted."""
        result = self._exporter.export(spans)
        if result.name != "SUCCESS":
            self.spans += len(spans)
            event = SinkDropped(sink="traces", dropped=self.spans, error_message=self._words())
            self._loop.call_soon_threadsafe(self._bus.emit, event)
        return result

    def shutdown(self) -> None:
        """Release the connections."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is kept here."""
        return bool(self._exporter.force_flush(timeout_millis))

    def tell(self, *, unsent: bool) -> None:
        """Say what was lost, at the end of the run."""
        if self.spans or unsent:
            more = " and those of the end" if self.spans and unsent else ""
            count = f"{self.spans} spans{more}" if self.spans else "the last spans"
            why = self._words() or f"no answer within {SEND_S:g} s"
            diagnostics.warning(f"{count} were not delivered to {VARIABLE}: {why}")


@contextmanager
def _library_silenced() -> Iterator[Callable[[], str]]:
    """Keep the library's own lines from the terminal; yields its last words."""
    logger, hearer = logging.getLogger(_LIBRARY), _LastWords()
    before = logger.propagate
    logger.addHandler(hearer)
    logger.propagate = False
    try:
        yield lambda: hearer.words
    finally:
        logger.removeHandler(hearer)
        logger.propagate = before


class _LastWords(logging.Handler):
    """Keeps the reason of the last failure, without the library's words around it."""

    words = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message that tells a reason; "gave up" after one tells nothing more."""
        text = " ".join(record.getMessage().split())
        found = _REASON.search(text)
        if found is not None or not self.words:
            reason = found[1] or found[2] if found else text
            self.words = redacted(reason, os.environ)[:_WORDS_MAX]
