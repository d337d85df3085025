"""What an outage cost, as lines for a person."""

from collections.abc import Iterator
from typing import Final

from callagent_cli.counting import counted
from callagent_cli.simulation.judge.cost import Cost

_DELAYED: Final = "delayed: had begun, then had to wait for a service"
_PROTECTED: Final = (
    "protected: not over when a breaker first opened, and did not fail;",
    "  a call that only waited to begin is protected, not delayed",
)


def cost_lines(cost: Cost) -> Iterator[str]:
    """Yield what the outage cost, and what is meant by the figures that are there."""
    yield (
        f"cost: {counted(cost.calls_delayed, 'call')} delayed, {cost.calls_failed:,} failed, "
        f"{cost.calls_protected:,} protected; {counted(cost.requests_wasted, 'request')} wasted"
    )
    yield from meanings(delayed=cost.calls_delayed > 0, protected=cost.calls_protected > 0)
    times = {
        "detect": cost.detect_s,
        "mitigate": cost.mitigate_s,
        "recover": cost.recover_s,
    }
    told = [f"{name} {seconds_text(each)}" for name, each in times.items() if each is not None]
    yield f"time to {', '.join(told)}" if told else "time to detect: no breaker opened"


def meanings(*, delayed: bool = True, protected: bool = True) -> Iterator[str]:
    """Yield which calls count as delayed and as protected: one may be both."""
    if delayed:
        yield f"  {_DELAYED}"
    if protected:
        yield from (f"  {line}" for line in _PROTECTED)


def seconds_text(seconds: float | None) -> str:
    """Return a time that something took, or a dash when it never happened."""
    return "–" if seconds is None else f"{seconds:.1f} s"
