"""`simulate --seeds N`: one scenario under many seeds, summed up."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from callagent_cli.cli.simulate.cost import seconds_text
from callagent_cli.cli.simulate.labels import labeled, print_labeled
from callagent_cli.cli.simulate.meter import Meter
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode, ScenarioError
from callagent_cli.simulation.judge.verdict import UNENDING_HINT
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.sweep.sweep import SeedResult, sweep

SCHEMA: Final = "callagent.simulation-sweep/v1"
_FAILURES_SHOWN: Final = 5
_REPLAY: Final = "replay the first: "


def run_sweep(scenario: Scenario, name: str, *, first: int, count: int, json: bool) -> int:
    """Run a scenario under `count` seeds from `first` on; return the exit code.

    Raises `ScenarioError` when the scenario itself lets nothing finish under some of them.
    """
    results: list[SeedResult] = []
    interrupted = False
    try:
        meter = Meter(scenario.name, count, "seeds")
        for result in sweep(scenario, range(first, first + count), idle=meter.tell):
            results.append(result)
            meter.take(broken=result.status != "held")
    except KeyboardInterrupt:
        interrupted = True
    results.sort(key=lambda result: result.seed)
    if json:
        standard_output().document(_document(scenario, results, interrupted=interrupted))
    else:
        for line in _summary(name, results, count):
            _show(line)
    if interrupted:
        return int(ExitCode.INTERRUPTED)
    failed = _failed(results)
    if failed and _verdict(results) == "invalid":
        raise ScenarioError(failed[0].reason, hint=UNENDING_HINT)
    return int(ExitCode.FAILED if failed else ExitCode.DONE)


def _show(line: str) -> None:
    """Print a line, on a terminal in whole words; a command is copied as it stands."""
    if line.startswith(_REPLAY):
        standard_output().line(labeled(line))
    else:
        print_labeled(line)


def _failed(results: list[SeedResult]) -> list[SeedResult]:
    return [result for result in results if result.status != "held"]


def _verdict(results: list[SeedResult]) -> str:
    """Return what was concluded; `invalid` only when that is all that is wrong."""
    wrong = {result.status for result in _failed(results)}
    return "invalid" if wrong == {"invalid"} else "broken" if wrong else "held"


def _summary(name: str, results: list[SeedResult], count: int) -> Iterator[str]:
    failed = _failed(results)
    for result in failed[:_FAILURES_SHOWN]:
        yield f"seed {result.seed}:"
        for text in [result.reason] if result.reason else result.broken:
            yield f"    {text}"
    if len(failed) > _FAILURES_SHOWN:
        yield f"… and {len(failed) - _FAILURES_SHOWN} seeds more"
    totals: Counter[str] = Counter()
    for result in results:
        totals.update(result.totals)
    mean = ", ".join(
        f"{total / len(results):.1f} {state}" for state, total in totals.items() if total
    )
    yield f"calls, on average: {mean or 'none'}"
    if results:
        yield _times(results)
    yield from _conclusion(name, results, count)


def _conclusion(name: str, results: list[SeedResult], count: int) -> Iterator[str]:
    failed = _failed(results)
    if failed:
        yield f"{_verdict(results).upper()}: {len(failed)} of {len(results)} seeds"
        yield f"{_REPLAY}callagent simulate {name} --seed {failed[0].seed}"
    elif len(results) == count:
        yield f"HELD: all {count} seeds"
    if len(results) < count:
        held = len(results) - len(failed)
        yield f"interrupted after {len(results)} of {count} seeds; {held} held so far"


def _times(results: list[SeedResult]) -> str:
    parts = []
    for label in ("detect", "mitigate", "recover"):
        seconds = [getattr(result.cost, f"{label}_s") for result in results]
        known = sorted(each for each in seconds if each is not None)
        if known:
            usual, worst = seconds_text(known[len(known) // 2]), seconds_text(known[-1])
            parts.append(f"{label} {usual} (worst {worst})")
    return f"time to {', '.join(parts)}" if parts else "nothing had to be detected"


def _document(
    scenario: Scenario, results: list[SeedResult], *, interrupted: bool
) -> dict[str, Any]:
    failed = _failed(results)
    verdict = "interrupted" if interrupted else _verdict(results)
    return {
        "schema": SCHEMA,
        "label": "SIMULATION",
        "scenario": scenario.name,
        "verdict": verdict,
        "seeds": len(results),
        "broken": len(failed),
        "first_broken_seed": failed[0].seed if failed else None,
        "results": results,
    }
