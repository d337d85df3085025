"""The view state as table rows: what the screen and `callagent status` show, cell by cell."""

from typing import Final

from callagent_cli.masking import mask
from callagent_cli.monitor.paint.glyphs import Glyphs, sparkline
from callagent_cli.monitor.paint.plain import (
    countdown,
    in_words,
    latency,
    percent,
)
from callagent_cli.monitor.paint.table import Cell, Column, Row
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.verdict import Tone, blockers
from callagent_cli.monitor.view.services import LastError, NextMove, ServiceView

SERVICE_COLUMNS: Final[tuple[Column, ...]] = (
    Column("service", "SERVICE", 11),
    Column("breaker", "BREAKER", 12),
    Column("for", "FOR", 8, rank=4, right=True),
    Column("spark", "LAST 60s", 10, rank=3),
    Column("fail", "FAIL", 6, rank=1, right=True),
    Column("window", "BAD/ALL", 9, rank=6, right=True),
    Column("p95", "P95", 5, rank=2, right=True),
    Column("health", "HEALTH", 9, rank=7),
    Column("next", "NEXT", 16, rank=1, flex=True),
    Column("error", "LAST ERROR", 20, rank=5, flex=True),
)
TRAFFIC: Final = frozenset({"spark", "fail", "window", "p95", "error"})
"""The columns that only attempts fill."""

RETRY_COLUMNS: Final = (
    Column("in", "IN", 5, right=True),
    Column("call", "CALL", 10, flex=True),
    Column("service", "SERVICE", 10, rank=1),
    Column("try", "TRY", 4, rank=2),
    Column("why", "WHY", 12, rank=3),
)
FLIGHT_COLUMNS: Final = (
    Column("for", "FOR", 5, right=True),
    Column("call", "CALL", 10, flex=True),
    Column("step", "STEP", 8),
    Column("try", "TRY", 4, rank=2),
    Column("service", "WAITS ON", 10, rank=3),
    Column("number", "NUMBER", 8, rank=4),
)
WAITING_COLUMNS: Final = (
    Column("calls", "CALLS", 6, right=True),
    Column("state", "STATE", 11),
    Column("why", "WAITS FOR", 12, flex=True),
)

_BREAKER_WORDS: Final = {
    None: "no data",
    "closed": "closed",
    "open": "OPEN",
    "half_open": "half-open",
    "isolated": "ISOLATED",
}
_BREAKER_TONES: Final[dict[str | None, Tone]] = {
    None: "muted",
    "closed": "good",
    "open": "bad",
    "half_open": "warning",
    "isolated": "bad",
}
_FAIL_WARNING: Final = 0.1
_FAIL_BAD: Final = 0.5


def breaker_cell(service: ServiceView, glyphs: Glyphs) -> Cell:
    """Return a breaker's glyph and word; a closed one that is doubtful reads `degraded`."""
    glyph = glyphs.breaker(service.breaker)
    if service.breaker == "closed" and service.degraded:
        return Cell(f"{glyph} degraded", "warning")
    return Cell(f"{glyph} {_BREAKER_WORDS[service.breaker]}", _BREAKER_TONES[service.breaker])


def next_text(service: ServiceView, state: ViewState, now_s: float) -> str:
    """Return what happens next to a service by itself, with its countdown."""
    move = service.next_move(now_s)
    words = _next_words(move, service, state)
    fallback = ", ".join(dict.fromkeys(service.fallback.values()))
    if fallback and words and service.blocked():
        return f"{words}; {fallback}"
    return fallback or words


def _next_words(move: NextMove, service: ServiceView, state: ViewState) -> str:
    due = "" if move.in_s is None else f" {countdown(move.in_s)}"
    if move.kind == "half_open":
        return f"trial {min(service.trials_good + 1, state.successes_to_close)}/" + str(
            state.successes_to_close
        )
    if move.kind == "person":
        return "until reset" if service.owner == "operator" else "needs you"
    return "" if move.kind == "none" else f"{move.kind}{due}"


def error_text(error: LastError | None) -> str:
    """Return the last error in one line: its status, then what was said."""
    if error is None:
        return ""
    said = error.message or error.error_class or error.outcome
    status = "" if error.http_status is None else str(error.http_status)
    return said if status in said else f"{status} {said}"


def _short_error(service: ServiceView) -> str:
    """Return the last error without the service's name, which stands at the head of its row."""
    text = error_text(service.last_error)
    for head in (f"{service.name} answered ", f"{service.name}: "):
        text = text.removeprefix(head)
    return text


def service_row(service: ServiceView, state: ViewState, now_s: float, glyphs: Glyphs) -> Row:
    """Return one service's line; without attempts its figures are dashes, not zeros."""
    none = Cell(glyphs.dash, "muted")
    window, p95_s = service.window(now_s), service.p95_s(now_s)
    share = window.share
    since_s = service.since_utc_s
    tone = _BREAKER_TONES[service.breaker]
    cells = {
        "service": Cell(service.name, "muted" if service.breaker is None else "plain"),
        "breaker": breaker_cell(service, glyphs),
        "for": none if since_s is None else Cell(countdown(now_s - since_s), "muted"),
        "spark": Cell(
            sparkline(service.failures(now_s), glyphs.levels), "muted" if tone == "good" else tone
        ),
        "fail": none if share is None else Cell(percent(share), _share_tone(share)),
        "window": none if share is None else Cell(f"{window.bad}/{window.attempts}"),
        "p95": none if p95_s is None else Cell(latency(p95_s)),
        "next": Cell(next_text(service, state, now_s) or glyphs.dash, _next_tone(service)),
        "health": _health_cell(service, none),
        "error": _error_cell(service, state, now_s),
    }
    return Row(service.name, cells)


def _error_cell(service: ServiceView, state: ViewState, now_s: float) -> Cell:
    """Return the last error; while a rehearsal injects a fault here, it says so first."""
    error = _short_error(service)
    active = state.scenario.active(now_s, service.name) if state.scenario else []
    if not active:
        return Cell(error, "muted")
    faults = ", ".join(phase.fault for phase in active)
    if not error or error.startswith(faults):
        return Cell(f"injected {error or faults}", "warning")
    return Cell(f"injected {faults}: {error}", "warning")


def _next_tone(service: ServiceView) -> Tone:
    if service.breaker == "isolated":
        return "bad"
    return "plain" if service.breaker in {"open", "half_open"} or service.fallback else "muted"


def _share_tone(share: float) -> Tone:
    if share >= _FAIL_BAD:
        return "bad"
    return "warning" if share >= _FAIL_WARNING else "plain"


def _health_cell(service: ServiceView, none: Cell) -> Cell:
    if service.health is None:
        return none
    tones: dict[str, Tone] = {"healthy": "good", "unhealthy": "bad", "unknown": "warning"}
    return Cell(service.health, tones[service.health])


def service_rows(state: ViewState, now_s: float, glyphs: Glyphs) -> list[Row]:
    """Return all services in their configured order."""
    return [service_row(service, state, now_s, glyphs) for service in state.services.values()]


def services_foot(view: ViewState, glyphs: Glyphs) -> str:
    """Return how many breakers are in which state, the worst first."""
    found = [service.breaker for service in view.services.values()]
    if not any(found):
        return "no traffic yet"
    words = {"isolated": "isolated", "open": "open", "half_open": "half-open", "closed": "closed"}
    counts = [(sum(each == state for each in found), word) for state, word in words.items()]
    counts.append((found.count(None), "no data"))
    return glyphs.separator.join(f"{count} {word}" for count, word in counts if count)


def who(name: str, number: str, call: str, *, show_numbers: bool) -> str:
    """Return how a call is called: the person's name, else the masked number, else its id."""
    return name or (number if show_numbers else mask(number)) or call


def retry_rows(
    state: ViewState, now_s: float, *, limit: int = 200, show_numbers: bool = False
) -> list[Row]:
    """Return the pending retries, the next one first."""
    return [
        Row(
            retry.call,
            {
                "in": Cell(countdown(retry.due_utc_s - now_s), "accent"),
                "call": Cell(who(retry.name, retry.number, retry.call, show_numbers=show_numbers)),
                "service": Cell(retry.service),
                "try": Cell(f"{retry.attempt}/{retry.of}" if retry.of else ""),
                "why": Cell(_why(retry.why, retry.reason), "muted"),
            },
        )
        for retry in state.calls.retries(limit)
    ]


def _why(why: str, reason: str) -> str:
    return why if reason in {"", "backoff"} else f"{why} ({reason})"


def flight_rows(
    state: ViewState, now_s: float, *, limit: int = 200, show_numbers: bool = False
) -> list[Row]:
    """Return the calls that hold a lane, in the order in which they took it."""
    rows = []
    for call in list(state.calls.in_flight.values())[:limit]:
        number = call.number if show_numbers else mask(call.number)
        rows.append(
            Row(
                call.call,
                {
                    "for": Cell(countdown(now_s - call.since_utc_s), "muted"),
                    "call": Cell(who(call.name, call.number, call.call, show_numbers=show_numbers)),
                    "step": Cell(
                        call.step.replace("_", " "),
                        "warning" if call.state == "backoff" else "plain",
                    ),
                    "try": Cell(f"{call.attempt}/{call.of}" if call.of else ""),
                    "service": Cell(call.service, "muted"),
                    "number": Cell(number, "muted"),
                },
            )
        )
    return rows


def waiting_rows(state: ViewState) -> list[Row]:
    """Return who waits for what: calls that have not begun first, then the largest group."""
    rows = []
    if held := held_back(state):
        why = f"{', '.join(blockers(state))}: no call begins before that is well"
        cells = {"calls": Cell(f"{held:,}"), "state": Cell("pending"), "why": Cell(why, "muted")}
        rows.append(Row("pending", cells))
    for group in state.calls.waiting():
        reason = in_words(group.reason)
        named = reason.startswith(group.waits_for)
        why = ": ".join(part for part in ("" if named else group.waits_for, reason) if part)
        cells = {
            "calls": Cell(f"{group.calls:,}"),
            "state": Cell(group.state, "warning" if group.state == "parked" else "plain"),
            "why": Cell(why, "muted"),
        }
        rows.append(Row(f"{group.state}/{group.waits_for}/{group.reason}", cells))
    return rows


def held_back(state: ViewState) -> int:
    """Return how many calls cannot begin because a service is down."""
    return state.calls.totals["pending"] if state.waiting and blockers(state) else 0
