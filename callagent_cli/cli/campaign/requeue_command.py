"""What `callagent requeue` does: through the living worker, or in the store itself."""

import os
from dataclasses import dataclass
from pathlib import Path

from callagent_cli.calls.model import Call, CallState
from callagent_cli.cli.place.campaigns import campaign_of
from callagent_cli.cli.place.command_log import command_log
from callagent_cli.cli.place.living_worker import ask, living_worker, not_yet
from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.service_names import require_service
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.clock import system_clock
from callagent_cli.counting import counted
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.events import CommandObeyed
from callagent_cli.reporting.incidents.affected import failed_calls
from callagent_cli.reporting.incidents.incident import load
from callagent_cli.store.lock import WorkerLock
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.again.requeue import requeue


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """Which failed calls are meant: all, those of a service, or those of an incident."""

    failed_by: str = ""
    incident: str = ""
    calls: frozenset[str] = frozenset()

    @property
    def whose(self) -> str:
        """The choice in words."""
        name = self.failed_by or self.incident
        return f" by {name}" if name else ""

    def holds(self, call: Call) -> bool:
        """Return whether a failed call is meant."""
        if self.incident:
            return call.id in self.calls
        return not self.failed_by or call.failed_by == self.failed_by


def requeue_calls(*, failed_by: str, incident: str, campaign: str, config: Path | None) -> int:
    """Take failed calls back and say how many; raises `CallAgentError`s."""
    place = workplace(config, os.environ)
    if failed_by and incident:
        message = "`--failed-by` and `--incident` exclude each other"
        raise UsageError(message, hint="an incident names its calls exactly")
    if failed_by:
        require_service(place.settings, failed_by)
    store = place.write_store()
    try:
        named = campaign_of(store, campaign)
        chosen, campaigns = _Chosen(failed_by=failed_by), [named]
        if incident:
            chosen = _of_incident(store, incident)
            # An outage knows no campaign: unless one is named, all whose calls it struck are meant.
            campaigns = [named] if campaign else _campaigns(store, chosen) or [named]
        for each in campaigns:
            standard_output().line(place.title(_requeued(place, store, each, chosen)))
    finally:
        store.close()
    return int(ExitCode.DONE)


def _campaigns(store: SqliteStore, chosen: _Chosen) -> list[str]:
    """Return the campaigns in which calls of the choice are failed, by name."""
    calls = (store.call(call_id) for call_id in chosen.calls)
    return sorted({call.campaign for call in calls if call and call.state is CallState.FAILED})


def _of_incident(store: SqliteStore, incident: str) -> _Chosen:
    """Return the calls that failed by an incident; raises `UsageError` when there is none."""
    known = [each.id for each in load(store)]
    if incident not in known:
        hint = hint_for(incident, known, otherwise="list them: `callagent incidents`")
        raise UsageError(f"no incident `{incident}`", hint=hint)
    return _Chosen(incident=incident, calls=failed_calls(store, incident))


def _requeued(place: Workplace, store: SqliteStore, campaign: str, chosen: _Chosen) -> str:
    whose = chosen.whose
    failed = store.calls(campaign, frozenset({CallState.FAILED}))
    calls = sum(chosen.holds(call) for call in failed)
    if not calls:
        return f"{campaign}: no call failed{whose}, nothing to requeue"
    if living_worker(place) is None:
        calls = _directly(place, store, campaign, chosen)
        return (
            f"{campaign}: {counted(calls, 'call')} that failed{whose} taken back. "
            "Next: the same `callagent run` works them"
        )
    working = store.last_run()
    if working is not None and working.campaign != campaign:
        raise UsageError(
            f"a worker is busy with campaign `{working.campaign}`",
            hint=f"requeue `{campaign}` when that run has ended, or `callagent drain` it",
        )
    answer = ask(place, store, "requeue", chosen.failed_by or chosen.incident)
    if answer is None:  # It ended this instant.
        return _requeued(place, store, campaign, chosen)
    if not answer.obeyed:
        return not_yet(answer, f"{counted(calls, 'call')} are taken back")
    taken = f"{counted(calls, 'call')} that failed{whose} taken back"
    return f"{campaign}: {taken}; {answer.who} works them"


def _directly(place: Workplace, store: SqliteStore, campaign: str, chosen: _Chosen) -> int:
    """Requeue in the store; nobody else may write meanwhile."""
    lock = WorkerLock(place.lock)
    lock.acquire("requeue")
    clock = system_clock()
    try:
        with command_log(place, clock, campaign) as bus:
            taken = requeue(
                store,
                bus,
                clock,
                campaign=campaign,
                failed_by=chosen.failed_by,
                calls=chosen.calls,
            )
            whose = chosen.failed_by or chosen.incident
            bus.emit(CommandObeyed(command="requeue", argument=whose, by=operator_name()))
        store.flush()
    finally:
        lock.release()
    return len(taken)
