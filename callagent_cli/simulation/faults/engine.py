"""The fault engine: what happens to a request, decided from the timeline, the time and a seed.

It decides only; the carriers (in process, or on the wire) play what it decided. It stands on the
providers' side: it survives a kill of the worker.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Any, Final

from callagent_cli.simulation.carriers.action import PASS, WireAction
from callagent_cli.simulation.faults.answers import (
    JSON_TYPE,
    MALFORMED_BODY,
    THROTTLED_BODY,
    encoded,
    overloaded_body,
    quota_body,
    quota_status,
    seconds_text,
)
from callagent_cli.simulation.faults.latency import drawer
from callagent_cli.simulation.scenario.fault_kind import kind_of
from callagent_cli.simulation.scenario.format import (
    Drip,
    Fault,
    Phase,
    Quota,
    RateLimit,
    Scenario,
)
from callagent_cli.simulation.scenario.words import matches
from callagent_cli.simulation.twins.twin import Facts, TwinRequest


class FaultEngine:
    """Decides request by request; `hits` counts the strikes by phase and target.

    `last_hit` is the strike that `take_back` takes back.
    What is done to the process counts there too, by phase and what was done.
    `start_utc_s` is when the world began: the timeline counts from there.
    """

    def __init__(self, timeline: Iterable[Phase], seed: int, start_utc_s: float = 0.0) -> None:
        self._start_utc_s = start_utc_s
        self._phases = [
            _ActivePhase(phase, phase.fault, seed) for phase in timeline if phase.fault is not None
        ]
        self.hits: Counter[tuple[str, str]] = Counter()
        self.last_hit = ("", "")

    def decide(self, target: str, request: TwinRequest, at: float, *, facts: Facts) -> WireAction:
        """Return what happens to a request at the instant `at` (UTC seconds)."""
        del request, facts  # Faults are aimed at operations, not at persons.
        return self.strike(target, at - self._start_utc_s) or PASS

    def strike(self, target: str, at_s: float) -> WireAction | None:
        """Return what strikes a request at `at_s` seconds of the world; the first match wins.

        A phase that lets the request pass (by probability, while it is up, within its rate or
        quota) leaves it to the next phase.
        """
        for phase in self._phases:
            action = phase.strike(target, at_s)
            if action is not None:
                self.last_hit = (phase.name, target)
                self.hits[self.last_hit] += 1
                return action
        return None

    def act(self, phase: Phase) -> None:
        """Note that something was done to the process."""
        self.hits[phase.name, phase.do or ""] += 1

    def take_back(self) -> None:
        """Count the last strike no longer: it changed nothing for the request that it met."""
        self.hits[self.last_hit] -= 1

    def reached(self, phase: str, target: str = "") -> int:
        """Return how often a phase struck, any operation or those that `target` covers."""
        return sum(
            count
            for (struck, operation), count in self.hits.items()
            if struck == phase and (not target or matches(target, operation))
        )


def process_actions(scenario: Scenario) -> list[Phase]:
    """Return what is done to the process, in the order of time."""
    return sorted(
        (phase for phase in scenario.timeline if phase.do is not None), key=lambda phase: phase.at
    )


class _ActivePhase:
    """One phase with its lots, its token bucket and its quota."""

    def __init__(self, phase: Phase, fault: Fault, seed: int) -> None:
        self.name = phase.name
        self._phase = phase
        self._fault = fault
        self._kind = kind_of(fault)
        self._delay = None if fault.latency is None else drawer(fault.latency)
        # Each phase has lots of its own, so that another phase does not change what it draws.
        self._random = Random(f"fault:{seed}:{phase.name}")
        self._tokens = float(fault.rate_limit.burst) if fault.rate_limit else 0.0
        self._tokens_at_s = phase.at
        self._used = 0

    def strike(self, target: str, at_s: float) -> WireAction | None:
        phase = self._phase
        if not (phase.at <= at_s < phase.ends_at and matches(phase.target, target)):
            return None
        if not self._is_down(at_s):
            return None
        if phase.probability < 1 and self._random.random() >= phase.probability:
            return None
        service = target.partition(".")[0]
        if self._fault.rate_limit is not None:
            return self._throttle(self._fault.rate_limit, at_s)
        if self._fault.quota is not None:
            return self._charge(self._fault.quota, service)
        return self._plain_strike(service)

    def _is_down(self, at_s: float) -> bool:
        flap = self._phase.flap
        return flap is None or (at_s - self._phase.at) % (flap.down + flap.up) < flap.down

    def _throttle(self, limit: RateLimit, at_s: float) -> WireAction | None:
        grown = self._tokens + (at_s - self._tokens_at_s) * limit.rps
        self._tokens = min(float(limit.burst), grown)
        self._tokens_at_s = at_s
        # A client that returns exactly when it was told must not be refused by a rounding error.
        if self._tokens >= 1 - 1e-6:
            self._tokens -= 1
            return None
        wait_s = (1 - self._tokens) / limit.rps if limit.retry_after == "auto" else None
        if isinstance(limit.retry_after, (int, float)):
            wait_s = limit.retry_after
        body = THROTTLED_BODY if limit.body is None else limit.body
        return self._answer(limit.status, body, retry_after_s=wait_s)

    def _charge(self, quota: Quota, service: str) -> WireAction | None:
        if self._used < quota.limit:
            self._used += 1
            return None
        body = quota_body(service) if quota.body is None else quota.body
        status = quota_status(service)
        return self._answer(status if quota.status is None else quota.status, body)

    def _plain_strike(self, service: str) -> WireAction:
        fault = self._fault
        if fault.status is not None:
            return self._answer(
                fault.status, fault.body, retry_after_s=fault.retry_after, headers=fault.headers
            )
        if fault.overloaded:
            return self._answer(200, overloaded_body(service))
        if fault.silent:
            return self._answer(200, {})
        if fault.malformed:
            return self._answer(200, MALFORMED_BODY, headers={"content-type": JSON_TYPE})
        action = _ACTIONS[self._kind](fault)
        return replace(action, delay_s=self._delay_s(), applied=self._is_applied())

    def _answer(
        self,
        status: int,
        body: Any,  # noqa: ANN401 — whatever the file gives as a body.
        *,
        retry_after_s: float | None = None,
        headers: dict[str, str] | None = None,
    ) -> WireAction:
        content, content_type = encoded(body)
        told = {"content-type": content_type} if content_type else {}
        if retry_after_s is not None:
            told["retry-after"] = seconds_text(retry_after_s)
        told |= {name.lower(): value for name, value in (headers or {}).items()}
        return WireAction(
            kind="answer",
            delay_s=self._delay_s(),
            applied=self._is_applied(),
            status=status,
            headers=told,
            body=content,
        )

    def _delay_s(self) -> float:
        return 0.0 if self._delay is None else self._delay(self._random)

    def _is_applied(self) -> bool:
        if self._kind in {"latency", "drip"}:
            return True
        return self._fault.applied > 0 and self._random.random() < self._fault.applied


def _dripping(fault: Fault) -> WireAction:
    drip = fault.drip or Drip(every=1.0)
    return WireAction(kind="drip", drip_bytes=drip.bytes, drip_every_s=drip.every)


_ACTIONS: Final[dict[str, Callable[[Fault], WireAction]]] = {
    "latency": lambda _: PASS,
    "hang": lambda _: WireAction(kind="hang"),
    "refuse": lambda _: WireAction(kind="refuse"),
    "blackhole": lambda _: WireAction(kind="blackhole"),
    "dns": lambda _: WireAction(kind="dns"),
    "reset": lambda fault: WireAction(kind="reset", mid_body=fault.reset == "mid_body"),
    "truncate": lambda fault: WireAction(kind="truncate", framing=fault.truncate or "length"),
    "garbage": lambda _: WireAction(kind="garbage"),
    "drip": _dripping,
    "stale_keepalive": lambda _: WireAction(kind="stale_keepalive"),
}
"""How the kinds without an answer of their own are played."""
