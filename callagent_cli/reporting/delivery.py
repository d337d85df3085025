"""How patient the alerts are with a channel: the Guard of one, and what is kept of a delivery."""

from typing import Final

import msgspec

from callagent_cli.clock import Clock
from callagent_cli.reporting.alert import Alert, Answers
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.policy import BreakerPolicy, Policy, RetryPolicy

POLICY: Final = Policy(
    retry=RetryPolicy(initial_delay_s=5.0, factor=2.0, retries=3),
    breaker=BreakerPolicy(
        failures=4, open_s=60.0, open_cap_s=300.0, successes_to_close=1, ramp_s=0
    ),
    slots=1,
)
"""5 s → 10 s → 20 s, then a trial after 1, 2, 4 and every 5 minutes; one message at a time."""


_DOUBLINGS: Final = 4
PUT_OFF_S: Final = (
    *(POLICY.retry.initial_delay_s * POLICY.retry.factor**n for n in range(POLICY.retry.retries)),
    *(min(POLICY.breaker.open_s * 2**n, POLICY.breaker.open_cap_s) for n in range(_DOUBLINGS)),
)
"""How long receivers who are put off wait, as the channel itself would after as many failures."""


def delivery_guard(name: str, clock: Clock) -> Guard:
    """Return the Guard of a channel; it tells nobody, because the outbox does.

    It draws its jitter apart: in a simulation a channel that fails changes no call, not by an hour
    and not by a millisecond.
    """
    return Guard(name, POLICY, clock.apart(name))


class Delivery(msgspec.Struct, kw_only=True):
    """How far one alert got on one channel; `pretended` when a mock took it, and no person.

    `message` is what it was last tried in, alone or with others, where the receiver goes by that.
    `answers` is who took it while others still wait, and who refused it for good, in which words;
    `taken_utc_s` is when some of them did.
    """

    delivered_utc_s: float | None = None
    attempts: int = 0
    error: str = ""
    given_up: bool = False
    pretended: bool = False
    message: str = ""
    answers: Answers = {}
    taken_utc_s: list[float] = []

    @property
    def sent_utc_s(self) -> list[float]:
        """When a message with it went out: to some receivers, or to all that lacked it."""
        delivered = [] if self.delivered_utc_s is None else [self.delivered_utc_s]
        return [*self.taken_utc_s, *delivered]

    @property
    def heard(self) -> bool:
        """Whether somebody has it: every receiver, or some while the others are put off."""
        return self.delivered_utc_s is not None or "" in self.answers.values()

    @property
    def settled(self) -> bool:
        """Whether nothing more will be tried."""
        return self.given_up or self.delivered_utc_s is not None


class Row(msgspec.Struct, kw_only=True):
    """An alert and its deliveries by channel, as the store keeps them; `muted` says by whom.

    A `silent` one is no alert, and nobody reads it: a program is told how an incident stands. Until
    `leased_until_utc_s` another process delivers it: one that watches for lost workers.
    """

    alert: Alert
    deliveries: dict[str, Delivery]
    muted: str = ""
    silent: bool = False
    leased_until_utc_s: float = 0.0
