"""OpenTelemetry traces: one trace a call, one span a step and an attempt; the extra `otel`."""

import importlib
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from callagent_cli.events import (
    AttemptFinished,
    CallChanged,
    Event,
    Stamped,
    StepFinished,
    StepStarted,
)

CALLS_MAX: Final = 20_000
"""Calls whose spans may be open at the same time; the oldest are ended first."""

_NS: Final = 1_000_000_000


class _Open:
    """The spans of a call that is being worked."""

    __slots__ = ("call", "step", "step_name")

    def __init__(self, call: Any) -> None:  # noqa: ANN401 — a span of the SDK.
        self.call = call
        self.step: Any = None
        self.step_name = ""


class Traces:
    """Listens to the bus and turns calls into spans of a `tracer`.

    A call's trace id is made of its own id, so that what happens to it after a restart, or days
    later, stands in the same trace. No attribute holds a number, a name or a provider's text.
    """

    def __init__(self, tracer: Any) -> None:  # noqa: ANN401 — OpenTelemetry's, where installed.
        self._api: Any = importlib.import_module("opentelemetry.trace")
        self._tracer = tracer
        self._calls: dict[str, _Open] = {}
        self._handlers: dict[type[Event], Callable[[int, Any], None]] = {
            CallChanged: self._call_changed,
            StepStarted: self._step_started,
            StepFinished: self._step_finished,
            AttemptFinished: self._attempt_finished,
        }

    def __call__(self, stamped: Stamped) -> None:
        """Take in one event."""
        handler = self._handlers.get(type(stamped.event))
        if handler is not None:
            handler(int(stamped.utc_s * _NS), stamped.event)

    def close(self, utc_s: float) -> None:
        """End the spans of the calls that are still being worked."""
        for call in list(self._calls):
            self._end(int(utc_s * _NS), call)

    def _call_changed(self, at_ns: int, event: CallChanged) -> None:
        if event.new in {"active", "backoff"}:
            self._begun(at_ns, event.call)
            return
        found = self._calls.get(event.call)
        if found is not None:
            found.call.set_attribute("callagent.state", event.new)
            if event.result:
                found.call.set_attribute("callagent.result", event.result)
            self._end(at_ns, event.call)

    def _step_started(self, at_ns: int, event: StepStarted) -> None:
        found = self._begun(at_ns, event.call)
        self._end_step(at_ns, found)
        found.step = self._span(f"step {event.step}", at_ns, found.call)
        found.step_name = event.step

    def _step_finished(self, at_ns: int, event: StepFinished) -> None:
        found = self._calls.get(event.call)
        if found is not None and found.step_name == event.step:
            self._end_step(at_ns, found)

    def _attempt_finished(self, at_ns: int, event: AttemptFinished) -> None:
        if not event.call:
            return
        found = self._begun(at_ns, event.call)
        began_ns = at_ns - int(event.duration_s * _NS)
        span = self._span(event.operation, began_ns, found.step or found.call)
        span.set_attribute("callagent.service", event.service)
        span.set_attribute("callagent.attempt", event.attempt)
        span.set_attribute("callagent.outcome", event.outcome)
        span.set_attribute("callagent.trial", event.trial)
        if event.http_status is not None:
            span.set_attribute("http.response.status_code", event.http_status)
        if event.outcome != "ok":
            error = self._api.Status(self._api.StatusCode.ERROR, event.error_class)
            span.set_status(error)
        span.end(end_time=at_ns)

    def _begun(self, at_ns: int, call: str) -> _Open:
        found = self._calls.get(call)
        if found is None:
            if len(self._calls) >= CALLS_MAX:
                self._end(at_ns, next(iter(self._calls)))
            span = self._tracer.start_span("call", context=self._root(call), start_time=at_ns)
            span.set_attribute("callagent.call", call)
            found = self._calls[call] = _Open(span)
        return found

    def _root(self, call: str) -> Any:  # noqa: ANN401 — a context of the SDK.
        """Return a context whose trace id is made of the call's id."""
        digest = sha256(call.encode()).digest()
        parent = self._api.SpanContext(
            trace_id=int.from_bytes(digest[:16], "big"),
            span_id=int.from_bytes(digest[16:24], "big"),
            is_remote=True,
            trace_flags=self._api.TraceFlags(self._api.TraceFlags.SAMPLED),
        )
        return self._api.set_span_in_context(self._api.NonRecordingSpan(parent))

    def _span(self, name: str, at_ns: int, parent: Any) -> Any:  # noqa: ANN401 — spans of the SDK.
        context = self._api.set_span_in_context(parent)
        return self._tracer.start_span(name, context=context, start_time=at_ns)

    def _end_step(self, at_ns: int, found: _Open) -> None:
        if found.step is not None:
            found.step.end(end_time=at_ns)
            found.step, found.step_name = None, ""

    def _end(self, at_ns: int, call: str) -> None:
        found = self._calls.pop(call)
        self._end_step(at_ns, found)
        found.call.end(end_time=at_ns)
