"""Everything known of one selected thing, as labelled facts."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple

from callagent_cli.counting import counted
from callagent_cli.masking import mask
from callagent_cli.monitor.paint.glyphs import Glyphs
from callagent_cli.monitor.paint.plain import (
    clean,
    clock_time,
    countdown,
    cut,
    fit,
    latency,
    percent,
    short_duration,
    width,
)
from callagent_cli.monitor.paint.rows import breaker_cell, error_text, held_back, next_text
from callagent_cli.monitor.paint.table import Cell
from callagent_cli.monitor.snapshot import MuteSnapshot
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.verdict import Tone
from callagent_cli.monitor.view.alerts import AlertView
from callagent_cli.monitor.view.calls import InFlight, Retry
from callagent_cli.monitor.view.services import ServiceView

LABEL = 10


class Fact(NamedTuple):
    """One labelled fact."""

    label: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """How details are read: the marks, the zone of times, and whether numbers may be shown."""

    glyphs: Glyphs
    zone: tzinfo | None = None
    show_numbers: bool = False


def service_facts(
    service: ServiceView, state: ViewState, now_s: float, looking: Looking
) -> list[Fact]:
    """Return what is known of a service."""
    cell = breaker_cell(service, looking.glyphs)
    since = (
        "" if service.since_utc_s is None else f" for {short_duration(now_s - service.since_utc_s)}"
    )
    times = f", opened {_times(service.opened)} in this run" if service.opened else ""
    facts = [
        Fact("Breaker", f"{cell.text}{since}{times}", cell.tone),
        Fact("Why", service.reason),
        Fact("Next", _next(service, state, now_s)),
        Fact("Traffic", _traffic(service, now_s)),
        Fact("Error", _error(service, looking)),
        Fact("Request", service.last_error.request_id if service.last_error else ""),
        Fact("Health", _health(service, looking)),
        Fact("Degraded", _degraded(service), "warning"),
        Fact("Instead", ", ".join(f"{step}: {use}" for step, use in service.fallback.items())),
        Fact("Effect", _effect(service, state)),
        Fact("Slots", "" if service.slots is None else f"{service.slots} at a time"),
        Fact("Muted", _muted(service, now_s)),
        Fact("Injected", _injected(service, state, now_s), "warning"),
    ]
    return [fact for fact in facts if fact.text]


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _next(service: ServiceView, state: ViewState, now_s: float) -> str:
    text = next_text(service, state, now_s)
    if service.breaker == "isolated":
        return f"{text}: nothing by itself; r closes it"
    if service.breaker in {"open", "half_open"}:
        return f"{text}, then {state.successes_to_close} good trials close it"
    return text


def _traffic(service: ServiceView, now_s: float) -> str:
    window, p95_s = service.window(now_s), service.p95_s(now_s)
    if window.share is None:
        return "no attempt in the last 60 s"
    slow = "" if p95_s is None else f", p95 {latency(p95_s)}"
    return f"{window.bad} of {window.attempts} failed in 60 s ({percent(window.share)}){slow}"


def _error(service: ServiceView, looking: Looking) -> str:
    error = service.last_error
    if error is None:
        return ""
    return f"{error_text(error)} at {clock_time(error.at_utc_s, looking.zone)} ({error.operation})"


def _health(service: ServiceView, looking: Looking) -> str:
    if service.health is None or service.health_utc_s is None:
        return "" if service.health is None else service.health
    detail = f": {service.health_detail}" if service.health_detail else ""
    return f"{service.health} at {clock_time(service.health_utc_s, looking.zone)}{detail}"


def _degraded(service: ServiceView) -> str:
    """Return why a service is doubtful; empty where its health says it already."""
    reason = service.degraded_reason if service.degraded else ""
    return "" if reason and reason in service.health_detail else reason


def _effect(service: ServiceView, state: ViewState) -> str:
    parked = state.calls.waiting_for(service.name)
    held = held_back(state) if service.blocked() else 0
    parts = [counted(parked, "call") + " parked"] if parked else []
    parts += [f"{counted(held, 'call') if not parked else f'{held:,}'} not begun"] if held else []
    return ", ".join([*parts, "none lost"]) if parts else ""


def _muted(service: ServiceView, now_s: float) -> str:
    if service.muted_until_utc_s is None or not service.muted(now_s):
        return ""
    return f"alerts, for {short_duration(service.muted_until_utc_s - now_s)}"


def mute_text(mute: MuteSnapshot, zone: tzinfo | None) -> str:
    """Return until when a mute holds, and who asked for it."""
    by = f" by {mute.by}" if mute.by else ""
    return f"until {clock_time(mute.until_utc_s, zone)}{by}"


def _injected(service: ServiceView, state: ViewState, now_s: float) -> str:
    scenario = state.scenario
    if scenario is None:
        return ""
    elapsed_s = scenario.elapsed_s(now_s)
    return "; ".join(
        f"{phase.fault} by scenario {scenario.plan.name}, {countdown(phase.to_s - elapsed_s)} left"
        for phase in scenario.active(now_s, service.name)
    )


def alert_facts(alert: AlertView, state: ViewState, looking: Looking) -> list[Fact]:
    """Return what is known of an alert."""
    seen = f"seen by {alert.seen_by}" if alert.seen_by else "seen by nobody"
    status = seen if state.alerts.is_open(alert) else "resolved"
    muted = [mute for mute in state.mutes if mute.covers(alert.service, alert.incident)]
    facts = [
        Fact("Alert", alert.title, "bad" if alert.severity == "critical" else "plain"),
        Fact("What", alert.body),
        Fact("Since", f"{clock_time(alert.raised_utc_s, looking.zone)}, {status}"),
        Fact("Service", alert.service),
        Fact("Call", alert.call),
        Fact("Incident", alert.incident),
        Fact("Muted", ", ".join(mute_text(mute, looking.zone) for mute in muted)),
    ]
    return [fact for fact in facts if fact.text]


def flight_facts(call: InFlight, now_s: float, looking: Looking) -> list[Fact]:
    """Return what is known of a call in flight."""
    attempt = f", attempt {call.attempt} of {call.of}" if call.of else ""
    facts = [
        Fact("Name", call.name),
        Fact("Number", call.number if looking.show_numbers else mask(call.number)),
        Fact("Step", f"{call.step} for {countdown(now_s - call.since_utc_s)}{attempt}"),
        Fact("State", call.state),
        Fact("Service", call.service),
        Fact("Call", call.call),
    ]
    return [fact for fact in facts if fact.text]


def retry_facts(retry: Retry, now_s: float, looking: Looking) -> list[Fact]:
    """Return what is known of a call that waits for its next attempt."""
    facts = [
        Fact("Name", retry.name),
        Fact("Number", retry.number if looking.show_numbers else mask(retry.number)),
        Fact(
            "Next", f"attempt {retry.attempt} of {retry.of} in {countdown(retry.due_utc_s - now_s)}"
        ),
        Fact("Service", retry.service),
        Fact("Why", f"{retry.why} ({retry.reason})"),
        Fact("Call", retry.call),
    ]
    return [fact for fact in facts if fact.text]


def fact_lines(facts: list[Fact], columns: int, looking: Looking) -> list[tuple[Cell, ...]]:
    """Return facts as lines of a width, long ones wrapped at spaces."""
    lines: list[tuple[Cell, ...]] = []
    ellipsis = looking.glyphs.ellipsis
    for fact in facts:
        label = fact.label
        for part in wrap(clean(fact.text), max(8, columns - LABEL), ellipsis=ellipsis):
            lines.append((Cell(fit(label, LABEL), "muted"), Cell(part, fact.tone)))
            label = ""
    return lines


def wrap(text: str, columns: int, *, ellipsis: str = "…") -> list[str]:
    """Return the text in lines of at most `columns`; a longer word is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else cut(word, columns, ellipsis=ellipsis)
    return [*lines, line] if line else lines
