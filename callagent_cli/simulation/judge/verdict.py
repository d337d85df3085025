"""The verdict on a world: every expectation judged, the totals, and what the outage cost."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from callagent_cli.settings import Settings
from callagent_cli.simulation.judge.alerts import one_alert_per_outage
from callagent_cli.simulation.judge.breakers import (
    breaker_legal,
    nothing_sent_while_open,
    trials_at_most_1,
)
from callagent_cli.simulation.judge.calls import (
    completed_step_never_repeated,
    finished,
    no_call_lost,
)
from callagent_cli.simulation.judge.cost import Cost, cost
from callagent_cli.simulation.judge.counts import (
    outcome_findings,
    reached_findings,
    wire_findings,
)
from callagent_cli.simulation.judge.dials import nobody_dialed_twice
from callagent_cli.simulation.judge.evidence import (
    Broken,
    Evidence,
    Finding,
    Invariant,
    finding,
    sha256,
)
from callagent_cli.simulation.judge.patterns import log_findings
from callagent_cli.simulation.judge.retries import retries_only_transient
from callagent_cli.simulation.judge.secrets import no_secret_in_log

Status = Literal["held", "broken", "could_not_judge"]

LAG_SHARE_MAX: Final = 0.1
"""How much of the smallest timeout a real loop may lag before nothing can be concluded."""

EXIT_CODES: Final[dict[Status, int]] = {"held": 0, "broken": 1, "could_not_judge": 3}

INVARIANTS: Final[Mapping[str, Invariant]] = {
    "no_call_lost": no_call_lost,
    "nobody_dialed_twice": nobody_dialed_twice,
    "breaker_legal": breaker_legal,
    "nothing_sent_while_open": nothing_sent_while_open,
    "trials_at_most_1": trials_at_most_1,
    "retries_only_transient": retries_only_transient,
    "one_alert_per_outage": one_alert_per_outage,
    "completed_step_never_repeated": completed_step_never_repeated,
    "no_secret_in_log": no_secret_in_log,
    "finished": finished,
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was concluded; `reason` says why nothing could be concluded.

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


def judge(evidence: Evidence) -> Verdict:
    """Judge a finished world by its scenario's expectations."""
    findings = [
        *invariant_findings(evidence),
        *outcome_findings(evidence),
        *log_findings(evidence),
        *wire_findings(evidence),
        *reached_findings(evidence),
    ]
    reason = _why_not_judged(evidence)
    held = all(each.held for each in findings)
    return Verdict(
        status="could_not_judge" if reason else "held" if held else "broken",
        findings=findings,
        totals={**evidence.totals, "dialed": len(evidence.placed)},
        cost=cost(evidence),
        log_sha256=sha256(evidence.log),
        reason=reason,
    )


def invariant_findings(evidence: Evidence) -> list[Finding]:
    """Judge `expect.always`, that of `until.finished`, and what is broken on purpose."""
    expect = evidence.scenario.expect
    names = list(expect.always)
    if evidence.scenario.until.finished and "finished" not in {*names, *expect.breaks}:
        names.append("finished")
    found = [finding("always", name, INVARIANTS[name](evidence)) for name in names]
    for name in expect.breaks:
        broken = INVARIANTS[name](evidence)
        title = f"reports that {name} is broken, as this scenario intends"
        if broken is None:
            found.append(finding("always", title, Broken(text="it held")))
        else:
            shown = Finding(
                kind="always", title=title, held=True, text=broken.text, line=broken.line
            )
            found.append(shown)
    return found


def smallest_timeout_s(settings: Settings) -> float:
    """Return the shortest time that any request may take."""
    services = settings.services
    policies = (services.elevenlabs.policy, services.llm.policy, services.crm.policy)
    return min(
        services.elevenlabs.dial_timeout,
        services.elevenlabs.look_up_timeout_s,
        services.elevenlabs.follow_timeout_s,
        services.llm.timeout_s,
        services.crm.timeout_s,
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
