"""The verdict on a rehearsal, as lines for a person and as one object for a program."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from callagent_cli.cli.simulate.cost import cost_lines
from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.events import Stamped
from callagent_cli.reporting.journal import LineEncoder
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.simulation.judge.evidence import Evidence, Finding
from callagent_cli.simulation.judge.verdict import Verdict
from callagent_cli.simulation.worlds.parts import SECRETS

SCHEMA: Final = "callagent.simulation/v1"
_AFTER_THE_END: Final = frozenset({"outcome", "log", "wire", "reached"})
"""Kinds of expectations that nobody can judge before the world has ended."""

UNDECIDED: Final = "not decided yet"
"""What is said of such an expectation."""

_VERDICTS: Final = {
    "held": "HELD: every expectation held",
    "broken": "BROKEN",
    "invalid": "INVALID",
    "could_not_judge": "COULD NOT JUDGE",
}


def report_lines(evidence: Evidence, verdict: Verdict, *, seed: int) -> Iterator[str]:
    """Yield the expectations with ✓ and ✗, the totals, the cost and the verdict."""
    for title, wanted in (("always:", True), ("this scenario:", False)):
        found = [each for each in verdict.findings if (each.kind == "always") is wanted]
        if found:
            yield from ("", title)
        for finding in found:
            yield str(finding)
            if not finding.held and finding.stamped is not None:
                yield f"    line {finding.line}: {log_line(finding.stamped)}"
    yield ""
    yield f"calls: {_counted(verdict.totals)}"
    yield f"requests: {_requests(evidence.ledger)}"
    yield from cost_lines(verdict.cost)
    yield f"log: {evidence.log.lines:,} lines, sha256 {verdict.log_sha256}"
    yield verdict_line(evidence, verdict, seed=seed)


def verdict_line(evidence: Evidence, verdict: Verdict, *, seed: int) -> str:
    """Return the last line: what was concluded, over how much of the world's time."""
    text = _VERDICTS[verdict.status]
    if verdict.status == "broken":
        text += f": {len(verdict.broken)} of {len(verdict.findings)} expectations did not hold"
    elif verdict.reason:
        text += f": {verdict.reason}"
    took = duration_text(float(round(evidence.ended_at_s)))
    return f"{text} ({evidence.scenario.name}, seed {seed}, {took} of the world)"


def interrupted_lines(evidence: Evidence, verdict: Verdict) -> Iterator[str]:
    """Yield what can be said of a world that was cut off by Ctrl-C."""
    took = duration_text(float(round(evidence.ended_at_s)))
    yield ""
    yield f"interrupted after {took} of the world; judged so far:"
    for finding in verdict.findings:
        if is_undecided(finding):
            yield f"– {finding.title}: {UNDECIDED}"
        else:
            yield str(finding)
    yield f"calls: {_counted(verdict.totals)}"


def is_undecided(finding: Finding) -> bool:
    """Tell whether nothing can be said yet about an expectation on a world that was cut off."""
    if finding.kind in _AFTER_THE_END:
        return not finding.held or finding.kind == "outcome"
    return finding.title == "finished" or finding.title.startswith("reports that")


def log_line(stamped: Stamped) -> str:
    """Return an event as its line of the log."""
    return LineEncoder(Redactor(SECRETS.values())).encode(stamped).decode().rstrip("\n")


def _requests(ledger: Mapping[str, int]) -> str:
    """Return what each service was sent, and how many calls its provider really placed."""
    sent = {service: count for service, count in ledger.items() if service != "placed"}
    return f"{_counted(sent)}; {counted(ledger.get('placed', 0), 'call')} placed"


def _counted(totals: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in totals.items() if count) or "none"


def document(
    evidence: Evidence,
    verdict: Verdict,
    *,
    seed: int,
    interrupted: bool = False,
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the verdict as the object that `--json` prints; the same for the same seed.

    `notes` say what a person should know of how it was played, such as the wire's clock fidelity.
    `held` of an expectation is null where a world that was interrupted had not decided it yet.
    What the figures of `cost` count is said where they are named, in `Cost`.
    """
    status = "interrupted" if interrupted else verdict.status
    return {
        "schema": SCHEMA,
        "label": "SIMULATION",
        "scenario": evidence.scenario.name,
        "title": evidence.scenario.title,
        "seed": seed,
        "verdict": status,
        "reason": verdict.reason,
        "notes": list(notes),
        "outcome": verdict.totals,
        "expectations": [_plain(each, interrupted=interrupted) for each in verdict.findings],
        "ledger": dict(evidence.ledger),
        "cost": msgspec.to_builtins(verdict.cost),
        "world_s": round(evidence.ended_at_s, 3),
        "clock_lag_s": round(evidence.fidelity_s, 3),
        "log": {"lines": evidence.log.lines, "sha256": verdict.log_sha256},
    }


def _plain(finding: Finding, *, interrupted: bool) -> dict[str, Any]:
    plain = {
        "kind": finding.kind,
        "title": finding.title,
        "held": finding.held,
        "text": finding.text,
        "line": finding.line,
    }
    return plain | nothing_yet(finding) if interrupted else plain


def nothing_yet(finding: Finding) -> dict[str, Any]:
    """Return what stands instead in a finding on a world that was cut off before it was decided."""
    return {"held": None, "text": UNDECIDED, "line": 0} if is_undecided(finding) else {}
