"""The last lines of a run: how it ended, what became of everybody, and what to do next."""

from callagent_cli.calls.model import CallState
from callagent_cli.cli.workplace import Workplace
from callagent_cli.errors import ExitCode
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.ending import Ending

_WAITING = (CallState.PENDING, CallState.PARKED, CallState.SCHEDULED, CallState.BACKOFF)


def summary_lines(place: Workplace, store: SqliteStore, campaign: str, ending: Ending) -> list[str]:
    """Return the summary; the counts add up to the contacts."""
    totals = {state: count for state, count in store.totals(campaign).items() if count}
    people = sum(totals.values())
    parts = ", ".join(f"{count} {state.value}" for state, count in totals.items()) or "nobody"
    results = store.results(campaign)
    lines = [place.title(f"{campaign}: {people} contacts: {parts}")]
    if results:
        told = ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
        lines.append(f"  results: {told}")
    lines += [
        f"  {waiting.calls} {waiting.state.value}: {waiting.reason}"
        for waiting in store.waiting(campaign)
    ]
    unproven = len(store.calls_with_open_dials(campaign))
    if unproven:
        lines.append(f"  {unproven} with a dial whose outcome is open; looked up at the next run")
    lines.append(f"ended: {ending.reason}. Next: {_next(totals, ending)}")
    return lines


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
