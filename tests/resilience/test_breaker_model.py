"""The breaker against a model of plain Python: any order of events, the same state."""

from dataclasses import dataclass, field
from random import Random
from typing import Final

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from resilience_doubles import Bench, caught

from callagent_cli.errors import CircuitOpen
from callagent_cli.resilience.breaker import BreakerRecord, Owner, Permit
from callagent_cli.resilience.policy import BreakerPolicy
from callagent_cli.resilience.recovery import Health

NEVER: Final = float("inf")
OPERATIONS: Final = st.sampled_from(["voice.dial", "voice.follow", "voice.look_up"])
TIMES: Final = st.one_of(
    st.floats(0, 400), st.sampled_from([0.0, 5.0, 10.0, 30.0, 35.0, 300.0, 900.0])
)
LEGAL: Final = {
    ("closed", "open"),
    ("closed", "isolated"),
    ("open", "half_open"),
    ("open", "isolated"),
    ("half_open", "open"),
    ("half_open", "closed"),
    ("half_open", "isolated"),
    ("isolated", "half_open"),
    ("isolated", "isolated"),
}


@dataclass
class Given:
    """A permit that the breaker gave, and what the model knows of it."""

    permit: Permit
    era: int
    trial: bool
    lease_ends_s: float


@dataclass
class Model:
    """What DESIGN.md says of the breaker, told a second time and as plainly as possible."""

    state: str = "closed"
    owner: str = ""
    era: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    trials: list[Given] = field(default_factory=list)
    good: int = 0
    until_s: float = -NEVER
    open_s: float = 30.0
    trial_failed: bool = False
    last_trial_s: float = -NEVER
    health: str = "unknown"
    health_s: float = -NEVER
    healthy_row: int = 0
    failing_since_s: float | None = None
    quota_round: int = 0

    def move(self, state: str, owner: str = "") -> None:
        """Begin another era."""
        self.state, self.owner = state, owner
        self.era += 1
        self.trials, self.good = [], 0

    def open(self, now_s: float, *, by_trial: bool) -> None:
        """Open; the test puts the jittered end of the open time into `until_s`."""
        if by_trial:
            self.open_s = min(2 * self.open_s, 300.0)
            self.trial_failed, self.last_trial_s = True, now_s
        else:
            self.failing_since_s = None
        self.health, self.health_s, self.healthy_row = "unknown", -NEVER, 0
        self.move("open")

    def close(self) -> None:
        """Close, or start over."""
        era, state = self.era, self.state
        self.__init__()  # type: ignore[misc]
        self.era = era + (state != "closed")

    def current(self, given: Given, now_s: float) -> bool:
        """Say whether a result that comes with this permit counts."""
        if not given.trial:
            return self.state == "closed" and given.era == self.era
        return given in self.trials and now_s < given.lease_ends_s

    def may_try(self, now_s: float) -> bool:
        """Say whether an open breaker may admit a trial."""
        over = now_s >= self.until_s
        if now_s - self.health_s > 30 or self.health == "unknown":
            return over
        if self.health == "healthy":
            return over or not self.trial_failed
        assert self.failing_since_s is not None
        return now_s >= self.failing_since_s + 900 and now_s >= self.last_trial_s + 300

    def poll(self, now_s: float) -> None:
        """Move to half-open if time or health allow it."""
        no_credit = self.state == "isolated" and self.owner == "quota"
        if (self.state == "open" and self.may_try(now_s)) or (no_credit and now_s >= self.until_s):
            self.move("half_open")


class BreakerAgainstModel(RuleBasedStateMachine):
    """Does anything, in any order, to a breaker and its model."""

    permits = Bundle[Given]("permits")

    @initialize(limit=st.integers(1, 3), seed=st.integers(0, 2**16))
    def begin(self, limit: int, seed: int) -> None:
        """Start closed, with any limit of trials and any jitter."""
        self.policy = BreakerPolicy(trials=limit, minimum_attempts=100_000)
        self.random = Random(seed)
        self.bench = Bench(self.policy, self.random)
        self.model = Model()

    @property
    def now_s(self) -> float:
        """The breaker's time."""
        return self.bench.clock.now_s

    def opened(self, *, by_trial: bool) -> None:
        """Open the model, and take over the drawn open time if it lies within a tenth."""
        self.model.open(self.now_s, by_trial=by_trial)
        open_s = self.bench.breaker.retry_after_s
        assert 0.9 * self.model.open_s - 1e-6 <= open_s <= 1.1 * self.model.open_s + 1e-6
        self.model.until_s = self.now_s + open_s

    @rule(seconds=TIMES)
    def time_passes(self, seconds: float) -> None:
        """Let time pass."""
        self.bench.clock.advance(seconds)

    @rule(target=permits, lease_s=st.floats(1, 60))
    def admit(self, lease_s: float) -> Given:
        """Ask for a permit."""
        given = self.asked(lease_s)
        return given or multiple()  # type: ignore[return-value]

    def asked(self, lease_s: float) -> Given | None:
        """Return a permit, or None when both refuse."""
        self.model.poll(self.now_s)
        if self.model.state == "closed":
            permit = self.bench.breaker.admit(lease_s)
            given = Given(permit, self.model.era, trial=False, lease_ends_s=NEVER)
        else:
            live = [one for one in self.model.trials if self.now_s < one.lease_ends_s]
            if self.model.state != "half_open" or len(live) >= self.policy.trials:
                error = self.bench.refused()
                assert error.state == self.model.state
                assert 0 <= error.retry_after_s <= 1_800
                return None
            permit = self.bench.breaker.admit(lease_s)
            ends_s = self.now_s + lease_s + 5
            given = Given(permit, self.model.era, trial=True, lease_ends_s=ends_s)
            self.model.trials = [*live, given]
        assert permit.trial is given.trial
        return given

    @rule(operation=OPERATIONS)
    def outage(self, operation: str) -> None:
        """Let four attempts in a row fail, as far as they are admitted."""
        for _ in range(4):
            given = self.asked(30.0)
            if given is not None:
                self.fail(given, operation)

    @rule(operation=OPERATIONS)
    def recovery(self, operation: str) -> None:
        """Wait until a trial is possible, and let two of them succeed."""
        self.bench.clock.advance(self.bench.breaker.retry_after_s)
        for _ in range(2):
            given = self.asked(30.0)
            if given is not None:
                self.succeed(given, operation)

    @rule(given=permits, operation=OPERATIONS)
    def succeed(self, given: Given, operation: str) -> None:
        """Let an attempt succeed, perhaps long after its era, perhaps told twice."""
        model = self.model
        self.bench.breaker.succeed(given.permit, operation, 1.0, self.now_s)
        if not model.current(given, self.now_s):
            return
        if not given.trial:
            model.rows.pop(operation, None)
            return
        model.trials.remove(given)
        model.good += not model.failed or operation in model.failed
        if model.good >= 2:
            model.close()

    @rule(given=permits, operation=OPERATIONS)
    def fail(self, given: Given, operation: str) -> None:
        """Let an attempt fail, perhaps long after its era, perhaps told twice."""
        model = self.model
        self.bench.breaker.fail(given.permit, operation, 1.0, self.now_s, reason="503")
        if not model.current(given, self.now_s):
            return
        model.failed.add(operation)
        if given.trial:
            self.opened(by_trial=True)
            return
        model.rows[operation] = model.rows.get(operation, 0) + 1
        if sum(model.rows.values()) >= 4:
            self.opened(by_trial=False)

    @rule(given=consumes(permits))
    def give_back(self, given: Given) -> None:
        """Cancel an attempt, or let it be throttled or refused for its content."""
        self.bench.breaker.release(given.permit)
        if given in self.model.trials:
            self.model.trials.remove(given)

    @rule(
        given=permits,
        operation=OPERATIONS,
        owner=st.sampled_from(["unauthorized", "quota", "misconfigured"]),
    )
    def isolate(self, given: Given, operation: str, owner: Owner) -> None:
        """Let an attempt learn something about key, credit or settings."""
        model = self.model
        breaker = self.bench.breaker
        breaker.isolate(owner, "why", permit=given.permit, operation=operation)
        if model.current(given, self.now_s):
            model.failed.add(operation)
            self.isolated(owner)

    @rule()
    def trip(self) -> None:
        """Isolate it by hand."""
        self.bench.breaker.isolate("operator", "by hand")
        self.isolated("operator")

    def isolated(self, owner: Owner) -> None:
        """Isolate the model."""
        model = self.model
        model.until_s = -NEVER
        if owner == "quota":
            model.until_s = self.now_s + (300, 600, 1_200, 1_800)[min(model.quota_round, 3)]
            model.quota_round += 1
        model.move("isolated", owner)

    @rule(health=st.sampled_from(["healthy", "unhealthy", "unknown"]), idle=st.booleans())
    def check(self, health: Health, *, idle: bool) -> None:
        """Let a health check come back."""
        self.bench.breaker.observe_health(health, idle=lambda: idle)
        model = self.model
        model.health, model.health_s = health, self.now_s
        model.healthy_row = model.healthy_row + 1 if health == "healthy" else 0
        if health == "healthy":
            model.failing_since_s = None
        elif health == "unhealthy" and model.failing_since_s is None:
            model.failing_since_s = self.now_s
        if model.state == "open":
            model.poll(self.now_s)
        credit = model.quota_round == 0
        if model.state == "half_open" and idle and model.healthy_row >= 2 and credit:
            model.close()

    @rule()
    def poll(self) -> None:
        """Ask, as the timer does, whether it is time to move."""
        self.model.poll(self.now_s)
        assert self.bench.breaker.poll() is (self.model.state == "half_open")

    @rule()
    def sleep_until_something_may_change(self) -> None:
        """Ask just before and at the instant that the breaker names for its next move."""
        breaker = self.bench.breaker
        at_s = breaker.next_change_s()
        waits = self.model.state in {"open", "isolated"} and self.now_s < at_s < NEVER
        if waits:
            self.bench.clock.now_s = max(self.now_s, at_s - 0.01)
            assert not breaker.poll()
            self.bench.clock.now_s = at_s
        self.model.poll(self.now_s)
        assert breaker.poll() is (self.model.state == "half_open")

    @rule()
    def reset(self) -> None:
        """Close it by hand."""
        self.bench.breaker.reset("by hand")
        self.model.close()
        self.bench.changes = [one for one in self.bench.changes if one.new != "closed"]

    @rule()
    def change_credential(self) -> None:
        """Key or account settings changed."""
        self.bench.breaker.credential_changed()
        if self.model.state == "isolated" and self.model.owner != "operator":
            self.model.move("half_open")

    @rule(more_s=st.sampled_from([0.0, 0.0, 100_000.0]), start_s=st.floats(0, 1e6))
    def restart(self, more_s: float, start_s: float) -> None:
        """Take up a record, possibly of an absurd wait, on a clock that began anew."""
        model = self.model
        record = self.bench.breaker.record()
        recovery = msgspec.structs.replace(
            record.recovery, remaining_s=record.recovery.remaining_s + more_s
        )
        written = msgspec.json.encode(msgspec.structs.replace(record, recovery=recovery))
        had_credit = model.quota_round == 0
        self.bench = Bench(self.policy, self.random)
        self.bench.clock.now_s = start_s
        self.bench.breaker.restore(msgspec.json.decode(written, type=BreakerRecord))
        if model.state == "closed":
            model.rows, model.failed, model.era = {}, set(), model.era + 1
            model.health, model.health_s, model.healthy_row = "unknown", -NEVER, 0
            model.failing_since_s = None
            return
        longest_s = 330.0 if had_credit else 1_800.0
        restored = Model(
            state=model.state,
            owner=model.owner,
            era=model.era + 1,
            failed=set(model.failed),
            open_s=model.open_s,
            trial_failed=model.trial_failed,
            until_s=start_s + min(recovery.remaining_s, longest_s),
        )
        self.model = restored

    @invariant()
    def same(self) -> None:
        """State, owner, failed operations and remaining time are those of the model."""
        breaker, model = self.bench.breaker, self.model
        assert (breaker.state, breaker.owner) == (model.state, model.owner)
        assert breaker.failed_operations == model.failed
        assert breaker.quota_rounds == model.quota_round
        expected_s = pytest.approx(max(0.0, model.until_s - self.now_s), abs=1e-6)
        assert breaker.retry_after_s == expected_s

    @invariant()
    def legal(self) -> None:
        """Only the moves of the design were made, and each from where the last one led."""
        for change in self.bench.changes:
            assert (change.old, change.new) in LEGAL
        self.bench.changes.clear()

    @invariant()
    def silent(self) -> None:
        """Beside the traffic nothing passes unless it is closed."""
        if self.bench.breaker.state == "closed":
            self.bench.breaker.admit_quietly()
            return
        with caught(CircuitOpen):
            self.bench.breaker.admit_quietly()


BreakerAgainstModel.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
TestBreakerAgainstModel = BreakerAgainstModel.TestCase
TestBreakerAgainstModel.__doc__ = "Any order of events leaves breaker and model in one state."
