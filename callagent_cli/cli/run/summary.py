"""The last lines of a run: how it ended, what became of everybody, and what to do next."""

import time

from callagent_cli.calls.model import CallState
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.run.loop import Worked
from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.errors import ExitCode
from callagent_cli.monitor.paint.plain import in_words
from callagent_cli.store.port import Waiting
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.turn.ending import Ending

_WAITING = (CallState.PENDING, CallState.PARKED, CallState.SCHEDULED, CallState.BACKOFF)


def summary_lines(place: Workplace, store: SqliteStore, campaign: str, worked: Worked) -> list[str]:
    """Return the summary; the counts add up to the contacts."""
    ending = worked.ending
    totals = {state: count for state, count in store.totals(campaign).items() if count}
    people = sum(totals.values())
    parts = ", ".join(f"{count:,} {state.value}" for state, count in totals.items()) or "nobody"
    results = store.results(campaign)
    lines = [place.title(f"{campaign}, {counted(people, 'contact')}: {parts}")]
    if results:
        told = (f"{count:,} {in_words(result)}" for result, count in sorted(results.items()))
        lines.append(f"  results: {', '.join(told)}")
    lines += [f"  {_waits(waiting)}" for waiting in store.waiting(campaign)]
    unproven = len(store.calls_with_open_dials(campaign))
    if unproven:
        lines.append(f"  {unproven:,} with a dial whose outcome is open; looked up at the next run")
    if worked.undelivered:
        lines.append(
            f"  {counted(worked.undelivered, 'alert')} not delivered; tried again at the next run"
        )
    if worked.sheet:
        lines.append(f"  {worked.sheet}")
    lines += [f"  {sink} lost {counted(count, 'line')}" for sink, count in worked.dropped.items()]
    lines.append(place.title(f"ended: {ending.reason}. Next: {_next(totals, ending)}"))
    return lines


def _waits(waiting: Waiting) -> str:
    """Return who waits for what, and when the first of them is due."""
    for_whom = f" for {waiting.waits_for}" if waiting.waits_for else ""
    due_in_s = None if waiting.due_utc_s is None else waiting.due_utc_s - time.time()
    due = f", the next in {duration_text(round(due_in_s))}" if due_in_s and due_in_s >= 1 else ""
    return f"{waiting.calls} {waiting.state.value}{for_whom}: {in_words(waiting.reason)}{due}"


def _next(totals: dict[CallState, int], ending: Ending) -> str:
    if ending.exit_code is ExitCode.CREDENTIALS:
        return "mend the key or account, then the same command again"
    if totals.get(CallState.REVIEW):
        return "`callagent review`"
    if any(totals.get(state) for state in _WAITING):
        return "the same command again goes on where it stopped"
    if totals.get(CallState.FAILED):
        return "`callagent requeue`, then the same command again"
    return "`callagent status`"
