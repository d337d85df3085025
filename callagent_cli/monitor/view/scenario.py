"""A rehearsal's plan and where it stands: what is injected when, and which checks held."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A fault injected into a service from `from_s` to `to_s` after the start."""

    name: str
    service: str
    fault: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something the scenario expects, decided at `at_s` after the start."""

    label: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPlan:
    """What a rehearsal will do; `duration_s` is how long it is planned to take."""

    name: str
    seed: int
    duration_s: float
    phases: tuple[Phase, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(slots=True)
class ScenarioView:
    """A plan under way; `results` holds the checks decided so far, by label."""

    plan: ScenarioPlan
    started_utc_s: float
    results: dict[str, bool] = field(default_factory=dict)

    def elapsed_s(self, now_s: float) -> float:
        """Return the seconds since the start."""
        return max(0.0, now_s - self.started_utc_s)

    def active(self, now_s: float, service: str = "") -> list[Phase]:
        """Return the faults injected right now, of one service or of all."""
        elapsed_s = self.elapsed_s(now_s)
        return [
            phase
            for phase in self.plan.phases
            if phase.from_s <= elapsed_s < phase.to_s and service in {"", phase.service}
        ]

    def upcoming(self, now_s: float) -> list[tuple[float, str]]:
        """Return what the plan does next, as (seconds after the start, words), soonest first."""
        elapsed_s = self.elapsed_s(now_s)
        moments = [
            *((phase.from_s, f"inject {phase.fault}") for phase in self.plan.phases),
            *((phase.to_s, f"clear {phase.fault}") for phase in self.plan.phases),
            *((check.at_s, f"check {check.label}") for check in self.plan.checks),
        ]
        return sorted(moment for moment in moments if moment[0] > elapsed_s)

    def decided(self, labels: Iterable[tuple[str, bool]]) -> None:
        """Keep the results of checks; labels that the plan does not name are left out."""
        known = {check.label for check in self.plan.checks}
        self.results.update((label, held) for label, held in labels if label in known)
