"""Bugs planted on purpose, each put into the running program and taken out again.

A mutant changes one thing that a plausible worker gets wrong. Exploration is worth something only
as long as it finds every one of them.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from memory_documents import MemoryDocuments
from msgspec import structs

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import Call, CallState, Dial, DialStatus
from callagent_cli.errors import ServiceError, ServiceTimeout
from callagent_cli.events import BreakerChanged, DialIntended, Stamped
from callagent_cli.masking import mask
from callagent_cli.reporting import wiring
from callagent_cli.reporting.incidents import IncidentBook
from callagent_cli.reporting.incidents.breaker_rules import BreakerRules
from callagent_cli.reporting.incidents.open_incidents import OpenIncidents
from callagent_cli.resilience.breaker import Breaker
from callagent_cli.resilience.gate import Gate
from callagent_cli.resilience.ladder import RetryLadder
from callagent_cli.resilience.outcome import RULES, Evidence, Outcome, Rule
from callagent_cli.resilience.policy import RetryPolicy
from callagent_cli.services import exchange
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker import worker
from callagent_cli.worker.again.requeue import requeue
from callagent_cli.worker.dial import step
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.dial.prover import Prover
from callagent_cli.worker.steps.crm import RecordStep
from callagent_cli.worker.turn import agenda, waking
from callagent_cli.worker.turn.agenda import Agenda

Plant = Callable[[pytest.MonkeyPatch], None]


def naive_redial_after_unknown(patch: pytest.MonkeyPatch) -> None:
    """Take a dial whose answer was lost for refused: it is simply tried again."""
    patch.setattr(step, "_status_after", lambda _error: DialStatus.REFUSED)


def no_intent_row(patch: pytest.MonkeyPatch) -> None:
    """Write the dial only once it has been answered."""

    def intend(ledger: Any, call: Call) -> Dial:  # noqa: ANN401 — stands in for the ledger's own.
        clock = ledger._clock
        dial = Dial(
            id=clock.new_id("dial"),
            call=call.id,
            number=call.contact.number,
            status=DialStatus.INTENT,
            intended_utc_s=clock.utc(),
        )
        number = mask(dial.number)
        ledger._bus.emit(DialIntended(call=call.id, dial=dial.id, number=number))
        return dial

    patch.setattr(DialLedger, "intend", intend)


def lost_wake_up(patch: pytest.MonkeyPatch) -> None:
    """Wake nobody when a breaker moves, and never look again without a reason."""
    listen = worker.Worker._listen

    def unmoved(stage: Any, stamped: Stamped) -> None:  # noqa: ANN401 — a `Worker`.
        if not isinstance(stamped.event, BreakerChanged):
            listen(stage, stamped)

    patch.setattr(Agenda, "_candidate_is_done", lambda _agenda, _service: None)
    patch.setattr(worker.Worker, "_listen", unmoved)
    patch.setattr(waking, "LOOK_AGAIN_S", 1e9)


def leaked_trial_lease(patch: pytest.MonkeyPatch) -> None:
    """Let a trial that taught nothing keep its lease for ever."""
    admit = Breaker.admit

    def admit_for_ever(breaker: Breaker, lease_s: float = 30.0) -> Any:  # noqa: ANN401 — a permit.
        return admit(breaker, lease_s + 1e9)

    patch.setattr(Breaker, "admit", admit_for_ever)
    patch.setattr(Breaker, "release", lambda _breaker, _permit: None)


def late_success_closes(patch: pytest.MonkeyPatch) -> None:
    """Let a success close the breaker, however long ago its attempt was admitted."""
    succeed = Breaker.succeed

    def succeed_always(breaker: Breaker, *arguments: Any) -> None:  # noqa: ANN401 — passed on.
        succeed(breaker, *arguments)
        if breaker.state == "open":
            breaker._close("an attempt succeeded")

    patch.setattr(Breaker, "succeed", succeed_always)


def alert_state_only_in_memory(patch: pytest.MonkeyPatch) -> None:
    """Forget at a restart which outages have been told already."""
    book = IncidentBook

    def forgetful(_documents: object, **options: Any) -> Any:  # noqa: ANN401 — as `IncidentBook`.
        return book(MemoryDocuments(), **options)

    patch.setattr(wiring, "IncidentBook", forgetful)


def claimed_rows_forgotten_at_recovery(patch: pytest.MonkeyPatch) -> None:
    """Leave calls that held a lane when the worker died in it for ever."""
    patch.setattr(worker, "recover", lambda *_arguments: 0)


def failed_look_up_read_as_absent(patch: pytest.MonkeyPatch) -> None:
    """Take a look-up that failed for one that found nothing."""
    prove = Prover.prove

    async def prove_at_once(prover: Any, dial: Dial) -> Dial:  # noqa: ANN401 — a `Prover`.
        try:
            return await prove(prover, dial)
        except ServiceError:
            absent: Dial = prover._ledger.settle(dial, DialStatus.ABSENT, reason="not found")
            return absent

    patch.setattr(Prover, "prove", prove_at_once)


def late_look_up_read_as_absent(patch: pytest.MonkeyPatch) -> None:
    """Take a look-up that was not answered in time for one that found nothing."""
    prove = Prover.prove

    async def prove_in_time(prover: Any, dial: Dial) -> Dial:  # noqa: ANN401 — a `Prover`.
        try:
            return await prove(prover, dial)
        except ServiceTimeout:
            absent: Dial = prover._ledger.settle(dial, DialStatus.ABSENT, reason="not found")
            return absent

    patch.setattr(Prover, "prove", prove_in_time)


def requeue_forgets_open_dial(patch: pytest.MonkeyPatch) -> None:
    """Let a call that is taken back begin with a clean ledger."""

    def forget(store: SqliteStore, *arguments: Any, **options: Any) -> list[str]:  # noqa: ANN401 — passed on.
        for call in store.calls(options["campaign"], frozenset({CallState.FAILED})):
            dial = open_dial(store.dials(call.id))
            if dial is not None:
                store.save_dial(dial.evolve(status=DialStatus.REFUSED))
        return requeue(store, *arguments, **options)

    patch.setattr(worker, "requeue", forget)


def record_repeated_without_look_up(patch: pytest.MonkeyPatch) -> None:
    """Write a record whose answer was lost again, without asking whether it is there."""
    attempt = RecordStep._attempt

    async def write_again(record: Any, journey: Any, records: Any) -> str:  # noqa: ANN401 — passed on.
        results = journey.call.results
        journey.note(results={name: found for name, found in results.items() if name != "record"})
        return await attempt(record, journey, records)

    patch.setattr(RecordStep, "_attempt", write_again)


def every_waiting_call_is_a_trial(patch: pytest.MonkeyPatch) -> None:
    """Let all who wait try at once as soon as a breaker is half-open."""

    def admits(agenda: Any, service: str) -> bool:  # noqa: ANN401 — an `Agenda`.
        breaker = agenda._resources.services.guards[service].breaker
        return breaker.state == "closed" or bool(breaker.poll())

    patch.setattr(Agenda, "_admits_one", admits)
    patch.setattr(Breaker, "trial_is_free", property(lambda self: self.state == "half_open"))


def retry_before_retry_after(patch: pytest.MonkeyPatch) -> None:
    """Let nobody else keep the wait that a service asked one caller for."""
    patch.setattr(Gate, "close_for", lambda _gate, _delay_s: None)


def dial_before_its_intent_is_on_disk(patch: pytest.MonkeyPatch) -> None:
    """Await no intent: the dial goes out before it is on disk."""

    async def at_once(_store: SqliteStore) -> None:
        return None

    patch.setattr(SqliteStore, "durable", at_once)


def _also_retried(patch: pytest.MonkeyPatch, outcome: Outcome, evidence: Evidence) -> None:
    patch.setitem(RULES, outcome, Rule(retried=True, evidence=evidence))


def rejected_is_retried(patch: pytest.MonkeyPatch) -> None:
    """Try again what was refused for what it is."""
    _also_retried(patch, Outcome.REJECTED, Evidence.NONE)


def unauthorized_is_retried(patch: pytest.MonkeyPatch) -> None:
    """Take a wrong key for an outage."""
    _also_retried(patch, Outcome.UNAUTHORIZED, Evidence.FAILURE)


def retry_after_is_not_read(patch: pytest.MonkeyPatch) -> None:
    """Overlook that an answer asks for time: the worker does not even know of it."""
    patch.setattr(exchange, "retry_after_s", lambda _headers, _now_utc_s: None)


def two_attempts_too_many(patch: pytest.MonkeyPatch) -> None:
    """Go on with the ladder for two rungs more than the policy has, and say so."""
    begin = RetryLadder.__init__

    def begin_longer(ladder: RetryLadder, policy: RetryPolicy, random: Random) -> None:
        begin(ladder, structs.replace(policy, retries=policy.retries + 2), random)

    patch.setattr(RetryLadder, "__init__", begin_longer)


def every_backoff_is_short(patch: pytest.MonkeyPatch) -> None:
    """Try again at once, and announce it as such."""
    patch.setattr(RetryLadder, "_jittered", lambda _ladder, _delay_s: 0.1)


def breakers_raise_no_alert(patch: pytest.MonkeyPatch) -> None:
    """Let nobody know that a service is down."""
    patch.setattr(BreakerRules, "breaker_changed", lambda _rules, _now, _event: [])


def no_outage_is_over(patch: pytest.MonkeyPatch) -> None:
    """Let nobody know that a service is well again for good."""
    resolve = OpenIncidents.resolve

    def update(book: OpenIncidents, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 — passed on.
        return structs.replace(resolve(book, *arguments, **options), kind="update")

    patch.setattr(OpenIncidents, "resolve", update)


def time_lifts_every_isolation(patch: pytest.MonkeyPatch) -> None:
    """Try a wrong key again after a minute, as if it could have mended itself."""
    poll = Breaker.poll

    def poll_isolated(breaker: Breaker) -> bool:
        if breaker.state == "isolated" and breaker._monotonic() - breaker._since_s > 60:
            breaker._move("half_open", "time is over")
        return poll(breaker)

    patch.setattr(Breaker, "poll", poll_isolated)


def calls_begin_without_a_model(patch: pytest.MonkeyPatch) -> None:
    """Let calls begin although no model could write what they need."""
    patch.setattr(agenda, "BEFORE_DIAL", frozenset())


MUTANTS: tuple[Plant, ...] = (
    naive_redial_after_unknown,
    no_intent_row,
    lost_wake_up,
    leaked_trial_lease,
    late_success_closes,
    alert_state_only_in_memory,
    claimed_rows_forgotten_at_recovery,
    failed_look_up_read_as_absent,
    late_look_up_read_as_absent,
    requeue_forgets_open_dial,
    record_repeated_without_look_up,
    every_waiting_call_is_a_trial,
    retry_before_retry_after,
    dial_before_its_intent_is_on_disk,
    rejected_is_retried,
    unauthorized_is_retried,
    retry_after_is_not_read,
    two_attempts_too_many,
    every_backoff_is_short,
    breakers_raise_no_alert,
    no_outage_is_over,
    time_lifts_every_isolation,
    calls_begin_without_a_model,
)
