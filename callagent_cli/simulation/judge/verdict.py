"""The verdict on a world: every expectation judged, the totals, and what the outage cost."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from callagent_cli.settings import Model, Settings
from callagent_cli.simulation.judge.alerts import OneAlertPerOutage
from callagent_cli.simulation.judge.breakers import BreakerLegal, NothingSentWhileOpen
from callagent_cli.simulation.judge.calls import CompletedStepNeverRepeated, Finished, NoCallLost
from callagent_cli.simulation.judge.cost import Bill, Cost
from callagent_cli.simulation.judge.counts import outcome_findings, reached_findings, wire_watchers
from callagent_cli.simulation.judge.dials import NobodyDialedTwice
from callagent_cli.simulation.judge.evidence import (
    Broken,
    Case,
    Evidence,
    Finding,
    See,
    Watcher,
    finding,
)
from callagent_cli.simulation.judge.patterns import log_watchers
from callagent_cli.simulation.judge.retries import RetriesOnlyTransient
from callagent_cli.simulation.judge.secrets import NoSecretInLog
from callagent_cli.simulation.judge.trials import TrialsAtMost1
from callagent_cli.simulation.judge.unending import unending

Status = Literal["held", "broken", "invalid", "could_not_judge"]

LAG_SHARE_MAX: Final = 0.1
"""How much of the smallest timeout a real loop may lag before nothing can be concluded."""

UNENDING_HINT: Final = "end the phase earlier, open the window, or give `until.at_most` more time"
"""What to do with a scenario under which nothing can finish."""

EXIT_CODES: Final[dict[Status, int]] = {"held": 0, "broken": 1, "invalid": 2, "could_not_judge": 3}

INVARIANTS: Final[Mapping[str, type[Watcher]]] = {
    "no_call_lost": NoCallLost,
    "nobody_dialed_twice": NobodyDialedTwice,
    "breaker_legal": BreakerLegal,
    "nothing_sent_while_open": NothingSentWhileOpen,
    "trials_at_most_1": TrialsAtMost1,
    "retries_only_transient": RetriesOnlyTransient,
    "one_alert_per_outage": OneAlertPerOutage,
    "completed_step_never_repeated": CompletedStepNeverRepeated,
    "no_secret_in_log": NoSecretInLog,
    "finished": Finished,
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was concluded; `reason` says why nothing could be concluded.

    A scenario is `invalid` when its world had to end before its calls could, whoever makes them.

    `totals` counts the calls by state and the phones that rang (`dialed`); `log_sha256` is the
    log's fingerprint, the same for the same seed.
    """

    status: Status
    findings: list[Finding]
    totals: dict[str, int]
    cost: Cost
    log_sha256: str
    reason: str = ""

    @property
    def exit_code(self) -> int:
        """The exit code that says the same."""
        return EXIT_CODES[self.status]

    @property
    def broken(self) -> list[Finding]:
        """The findings that do not hold."""
        return [each for each in self.findings if not each.held]


def watchers_of(case: Case) -> list[Watcher]:
    """Return who must watch a world so that it can be judged."""
    return [
        *_invariants(case),
        *log_watchers(case),
        *wire_watchers(case),
        Bill(case),
    ]


def judge(evidence: Evidence) -> Verdict:
    """Conclude what the watchers of a world have seen, and count how it ended."""
    watched = [each.finding(evidence) for each in evidence.watchers]
    findings = [
        *(each for each in watched if each.kind == "always"),
        *outcome_findings(evidence),
        *(each for each in watched if each.kind in {"log", "never"}),
        *(each for each in watched if each.kind == "wire"),
        *reached_findings(evidence),
    ]
    lagged, unending = _why_not_judged(evidence), _why_unending(evidence, findings)
    held = all(each.held for each in findings)
    bill = next(each for each in evidence.watchers if isinstance(each, Bill))
    return Verdict(
        status=(
            "could_not_judge" if lagged else "held" if held else "invalid" if unending else "broken"
        ),
        findings=findings,
        totals={**evidence.totals, "dialed": len(evidence.rung)},
        cost=bill.cost(evidence),
        log_sha256=evidence.log.sha256,
        reason=lagged or ("" if held else unending),
    )


def _invariants(case: Case) -> Iterator[Watcher]:
    """Yield who judges `expect.always`, `until.finished`, and what is broken on purpose."""
    expect = case.scenario.expect
    names = list(expect.always)
    if case.scenario.until.finished and "finished" not in {*names, *expect.breaks}:
        names.append("finished")
    for name in names:
        yield INVARIANTS[name](case, name)
    for name in expect.breaks:
        yield _Reported(case, name)


class _Reported(Watcher):
    """Expects of an invariant that it is reported as broken: this scenario intends it."""

    def __init__(self, case: Case, name: str) -> None:
        super().__init__(case, f"reports that {name} is broken, as this scenario intends")
        self._watcher = INVARIANTS[name](case, name)

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return self._watcher.hears()

    def end_run(self, last_s: float) -> None:
        """Note that a run told its last event, and another one begins."""
        self._watcher.end_run(last_s)

    def end_world(self, last_s: float) -> None:
        """Note that the last run told its last event."""
        self._watcher.end_world(last_s)

    def finding(self, evidence: Evidence) -> Finding:
        """Return how the invariant was broken, or that it held."""
        broken = self._watcher.finish(evidence)
        if broken is None:
            return finding(self.kind, self.title, Broken(text="it held"))
        return finding(self.kind, self.title, broken, held=True)


def smallest_timeout_s(settings: Settings) -> float:
    """Return the shortest time that any request may take."""
    voice, llm, crm = settings.services.elevenlabs, settings.services.llm, settings.services.crm
    models: list[Model] = [llm] if llm.fallback is None else [llm, llm.fallback]
    policies = (voice.policy, crm.policy, *(model.policy for model in models))
    return min(
        voice.dial_timeout,
        voice.look_up_timeout_s,
        voice.follow_timeout_s,
        crm.timeout_s,
        *(model.timeout_s for model in models),
        *(policy.health.timeout_s for policy in policies),
    )


def _why_not_judged(evidence: Evidence) -> str:
    timeout_s = smallest_timeout_s(evidence.settings)
    if evidence.fidelity_s <= LAG_SHARE_MAX * timeout_s:
        return ""
    return (
        f"the clock lagged by {evidence.fidelity_s:.2f} s, more than a tenth of the smallest "
        f"timeout ({timeout_s:g} s)"
    )


def _why_unending(evidence: Evidence, findings: Sequence[Finding]) -> str:
    """Say why nothing could finish, if the scenario itself is the reason, and who hangs on what."""
    hanging = next((each.text for each in findings if each.title == "finished"), "")
    why = unending(evidence) if hanging and not evidence.finished else ""
    return f"{why}: {hanging}" if why else ""
