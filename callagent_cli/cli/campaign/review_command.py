"""What `callagent review` does: lists, asks, and passes the decision on or carries it out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callagent_cli.calls.model import Call
from callagent_cli.cli.place.campaigns import campaign_of
from callagent_cli.cli.place.command_log import command_log
from callagent_cli.cli.place.living_worker import ask, not_yet
from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.clock import system_clock
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.masking import mask
from callagent_cli.store.lock import WorkerLock
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.again.review import calls_to_review, review

_MEANING: Final = {
    "called": "the phone rang: it is followed, or counted as done",
    "not_called": "the phone did not ring: the call failed and can be requeued",
    "redial": "the person is DIALED AGAIN, even if the phone rang already",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOptions:
    """The command line of `review`, as typed."""

    call: str
    called: bool
    not_called: bool
    redial: bool
    yes: bool
    campaign: str
    config: Path | None

    @property
    def decision(self) -> str:
        """The one decision; empty when none was made. Raises `UsageError` for more than one."""
        made = {"called": self.called, "not_called": self.not_called, "redial": self.redial}
        named = [name for name, wanted in made.items() if wanted]
        if len(named) > 1:
            raise UsageError(
                "more than one decision over one call",
                hint="one of `--called`, `--not-called` and `--redial`",
            )
        return named[0] if named else ""


def review_calls(options: ReviewOptions) -> int:
    """List what waits for a person, or decide one call; raises `UsageError`."""
    place = workplace(options.config, os.environ)
    decision = options.decision
    if decision and not options.call:
        raise UsageError("a decision needs a call", hint="list them: `callagent review`")
    output = standard_output()
    store = place.write_store() if decision else place.read_store()
    try:
        campaign = campaign_of(store, options.campaign)
        waiting = calls_to_review(store, campaign)
        if not decision:
            for line in _lines(campaign, waiting, options.call):
                output.line(place.title(line))
            return int(ExitCode.DONE)
        call = _call(waiting, options.call)
        _confirm(place, call, decision, assume_yes=options.yes)
        output.line(place.title(_decided(place, store, call, decision)))
    finally:
        store.close()
    return int(ExitCode.DONE)


def _lines(campaign: str, waiting: list[Call], wanted: str) -> list[str]:
    if wanted:
        waiting = [_call(waiting, wanted)]
    if not waiting:
        return [f"{campaign}: no call waits for a decision"]
    lines = [f"{call.id}  {_who(call)}  {call.state.value}: {call.reason}" for call in waiting]
    example = waiting[0].id
    return [*lines, f"decide: `callagent review {example} --called`, --not-called or --redial"]


def _call(waiting: list[Call], wanted: str) -> Call:
    known = {call.id: call for call in waiting}
    if wanted not in known:
        hint = hint_for(wanted, known, otherwise="list them: `callagent review`")
        raise UsageError(f"no call `{wanted}` waits for a decision", hint=hint)
    return known[wanted]


def _who(call: Call) -> str:
    return f"{call.contact.name} {mask(call.contact.number)}".strip()


def _confirm(place: Workplace, call: Call, decision: str, *, assume_yes: bool) -> None:
    """Ask the person at the terminal; raises `UsageError` when nobody is there or says no."""
    if assume_yes:
        return
    question = place.title(f"{_who(call)}: {_MEANING[decision]}")
    typed = diagnostics.asked(f"{question}.\nIs that right? Type yes:")
    if typed is None:
        raise UsageError(
            f"not decided: {question}", hint="add `--yes` when nobody is there to be asked"
        )
    if typed.lower() not in {"y", "yes"}:
        raise UsageError("not confirmed: nothing was changed", hint="type yes, or add `--yes`")


def _decided(place: Workplace, store: SqliteStore, call: Call, decision: str) -> str:
    answer = ask(place, store, "review", f"{call.id} {decision}")
    if answer is not None and not answer.obeyed:
        return not_yet(answer, f"{_who(call)} is decided")
    if answer is not None:
        after = store.call(call.id) or call
        return f"{_who(call)}: {after.state.value} ({after.reason})"
    lock = WorkerLock(place.lock)
    lock.acquire("review")
    clock = system_clock()
    try:
        with command_log(place, clock, call.campaign) as bus:
            after = review(
                store, bus, clock, call_id=call.id, decision=decision, by=operator_name()
            )
        store.flush()
    finally:
        lock.release()
    going_on = "" if after.state.value in {"done", "failed"} else ". Next: `callagent run`"
    return f"{_who(call)}: {after.state.value} ({after.reason}){going_on}"
