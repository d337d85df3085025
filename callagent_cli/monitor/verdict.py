"""The one line that answers whether it runs, and if not, why."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from callagent_cli.counting import counted
from callagent_cli.errors import ExitCode
from callagent_cli.monitor.paint.plain import in_words, reasons_first, short_duration

if TYPE_CHECKING:
    from callagent_cli.monitor.state import ViewState

Tone = Literal["plain", "muted", "good", "warning", "bad", "accent"]
Word = Literal[
    "IDLE", "RUNNING", "WAITING", "PAUSED", "DRAINING", "STALLED", "DONE", "STOPPED", "LOST"
]

LOST_AFTER_S = 3.0
STALLED_AFTER_S = 180.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A word, its explanation, and how it should look."""

    word: Word
    detail: str
    tone: Tone


def decide(state: "ViewState", now_s: float) -> Verdict:
    """Return the verdict at `now_s` (UTC seconds); what hides the truth goes first."""
    for rule in (_unreadable, _ended, _lost, _idle, _draining, _paused, _stalled, _waiting):
        verdict = rule(state, now_s)
        if verdict is not None:
            return verdict
    return Verdict("RUNNING", *_running(state))


def _unreadable(state: "ViewState", _now_s: float) -> Verdict | None:
    return Verdict("LOST", state.trouble, "bad") if state.trouble else None


def _ended(state: "ViewState", _now_s: float) -> Verdict | None:
    if state.ended is None:
        return None
    totals = state.calls.totals
    troubles = [
        f"{totals[word]} {label}"
        for word, label in (("failed", "failed"), ("review", "to review"))
        if totals[word]
    ]
    if state.ended.exit_code in {ExitCode.DONE, ExitCode.FAILED} and not state.calls.unfinished:
        if troubles:
            return Verdict("DONE", "with " + ", ".join(troubles), "warning")
        return Verdict("DONE", "every call is finished", "good")
    left = f"{counted(state.calls.unfinished, 'call')} left" if state.calls.unfinished else ""
    return Verdict("STOPPED", _join(state.ended.reason, left, *troubles), "warning")


def _lost(state: "ViewState", now_s: float) -> Verdict | None:
    if state.heartbeat_utc_s is None:
        return None
    if now_s - state.heartbeat_utc_s <= LOST_AFTER_S:
        return Verdict("LOST", f"{state.worker} is gone", "bad") if state.gone else None
    silence = short_duration(now_s - state.heartbeat_utc_s)
    who = f" from {state.worker}" if state.worker else ""
    return Verdict("LOST", f"no heartbeat{who} for {silence}", "bad")


def _idle(state: "ViewState", _now_s: float) -> Verdict | None:
    if state.started_utc_s is not None:
        return None
    if state.calls.contacts:
        return Verdict(
            "IDLE", f"no worker; {counted(state.calls.unfinished, 'call')} left", "muted"
        )
    return Verdict("IDLE", "nothing has run yet", "muted")


def _draining(state: "ViewState", _now_s: float) -> Verdict | None:
    if state.draining is None:
        return None
    return Verdict(
        "DRAINING", _join(state.draining.why, f"{finishing(state)}, nothing begins"), "warning"
    )


def _paused(state: "ViewState", now_s: float) -> Verdict | None:
    if state.paused is None:
        return None
    age = short_duration(now_s - state.paused.since_utc_s)
    rest = finishing(state) if state.calls.working else ""
    return Verdict("PAUSED", _join(f"by {state.paused.why} {age} ago", rest), "warning")


def _stalled(state: "ViewState", now_s: float) -> Verdict | None:
    if state.waiting is not None or blockers(state) or not state.calls.unfinished:
        return None
    since_s = state.progress_utc_s
    if since_s is None or now_s - since_s < STALLED_AFTER_S:
        return None
    return Verdict("STALLED", f"no progress for {short_duration(now_s - since_s)}", "bad")


def _waiting(state: "ViewState", now_s: float) -> Verdict | None:
    if state.waiting is not None:
        due = ""
        due_utc_s = state.waiting.due_utc_s
        if due_utc_s is not None and due_utc_s > now_s:
            due = f"next in {short_duration(due_utc_s - now_s)}"
        return Verdict("WAITING", _join(reasons_first(in_words(state.waiting.why)), due), "warning")
    if blockers(state) and not state.calls.working and state.calls.unfinished:
        return Verdict("WAITING", _blocked(state), "warning")
    return None


def _running(state: "ViewState") -> tuple[str, Tone]:
    if blockers(state):
        return _blocked(state), "warning"
    if degraded := [service.name for service in state.services.values() if service.degraded]:
        return f"{', '.join(degraded)} degraded", "warning"
    return "", "good"


def finishing(state: "ViewState") -> str:
    """Return how many calls in flight finish whatever holds the run back."""
    count = state.calls.working
    return f"{counted(count, 'call')} in flight finish" + ("es" if count == 1 else "")


def blockers(state: "ViewState") -> list[str]:
    """Return the services that calls cannot get through to."""
    return [service.name for service in state.services.values() if service.blocked()]


def _blocked(state: "ViewState") -> str:
    words = []
    for name in blockers(state):
        service = state.services[name]
        why = "isolated" if service.breaker == "isolated" else "down"
        wait = state.calls.waiting_for(name)
        words.append(f"{name} is {why}" + (f", {counted(wait, 'call')} parked" if wait else ""))
    return " · ".join(words)


def _join(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
