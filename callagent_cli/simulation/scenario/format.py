"""What a scenario file may hold: format `scenario/v1`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from callagent_cli.durations import Duration, PositiveDuration, Shift
from callagent_cli.settings import Settings

SEED_MAX = 2**63 - 1

Probability = Annotated[float, Meta(gt=0, le=1)]
Status = Annotated[int, Meta(ge=200, le=599)]
"""The status of an answer; what is below 200 only announces one."""

Refusal = Annotated[int, Meta(ge=400, le=599)]
"""The status of an answer that refuses."""

Seed = Annotated[int, Meta(ge=0, le=SEED_MAX)]
Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]*$", max_length=60)]
Amount = Annotated[int, Meta(ge=0)]

InvariantName = Literal[
    "no_call_lost",
    "nobody_dialed_twice",
    "breaker_legal",
    "nothing_sent_while_open",
    "trials_at_most_1",
    "retries_only_transient",
    "one_alert_per_outage",
    "completed_step_never_repeated",
    "no_secret_in_log",
    "finished",
]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts: immutable, and strict about its keys."""


class Range(_Part, frozen=True, kw_only=True):
    """A number of things: both bounds are included."""

    at_least: Amount | None = None
    at_most: Amount | None = None

    def holds(self, number: int) -> bool:
        """Whether a number lies within."""
        return (self.at_least is None or number >= self.at_least) and (
            self.at_most is None or number <= self.at_most
        )

    def __str__(self) -> str:
        low, high = self.at_least, self.at_most
        if low == high and low is not None:
            return str(low)
        bounds = [f"at least {low}"] if low is not None else []
        return " and ".join([*bounds, *([f"at most {high}"] if high is not None else [])])


Count = Amount | Range
"""How many of something are expected: a number, or `{at_least: …, at_most: …}`."""


def as_range(count: Count) -> Range:
    """Return an expected count as a range."""
    return count if isinstance(count, Range) else Range(at_least=count, at_most=count)


class Normal(_Part, frozen=True, kw_only=True):
    """Around a mean, never below zero."""

    mean: Duration
    deviation: Duration


class Lognormal(_Part, frozen=True, kw_only=True):
    """The usual shape of network latency, by its median and 99th percentile."""

    p50: PositiveDuration
    p99: PositiveDuration


Pair = Annotated[list[Duration], Meta(min_length=2, max_length=2)]
"""The least and the most."""


class Distribution(_Part, frozen=True, kw_only=True):
    """How long answers take: exactly one of these."""

    uniform: Pair | None = None
    normal: Normal | None = None
    lognormal: Lognormal | None = None


LatencySpec = Duration | Distribution
"""A constant such as `200ms`, or a distribution."""


class CampaignSpec(_Part, frozen=True, kw_only=True):
    """The contact list and how many of its calls are worked at the same time."""

    contacts: Annotated[int, Meta(ge=1, le=1_000_000)]
    lanes: Annotated[int, Meta(ge=1, le=1000)] = 1


class TwinSpec(_Part, frozen=True, kw_only=True):
    """A healthy provider; `operations` names latencies of its operations where they differ."""

    latency: LatencySpec = 0.2
    operations: dict[str, LatencySpec] = {}


class VoiceTwinSpec(TwinSpec, frozen=True, kw_only=True):
    """The voice platform; `list_lag` is how long a placed call is missing from its list."""

    list_lag: Duration = 0.0


class ServicesSpec(_Part, frozen=True, kw_only=True):
    """The twins."""

    elevenlabs: VoiceTwinSpec = VoiceTwinSpec()
    llm: TwinSpec = TwinSpec(latency=0.9)
    llm_fallback: TwinSpec = TwinSpec(latency=0.9)
    crm: TwinSpec = TwinSpec(latency=0.08)


Weight = Annotated[float, Meta(ge=0)]


class People(_Part, frozen=True, kw_only=True):
    """What the people called do: weights of how a call ends, and how long each part takes.

    By default everybody answers after 5 s of ringing and talks for 54 s, and the provider takes
    1 s to file the call: 60 s in all. `opts_out` is the share of the people who, when talked to,
    say that they want no more calls.
    """

    answered: Weight = 1.0
    no_answer: Weight = 0.0
    busy: Weight = 0.0
    voicemail: Weight = 0.0
    declined: Weight = 0.0
    failed: Weight = 0.0
    opts_out: Annotated[float, Meta(ge=0, le=1)] = 0.0
    ring: Duration | Pair = 5.0
    talk: Duration | Pair = 54.0
    voicemail_talk: Duration | Pair = 20.0
    processing: Duration | Pair = 1.0
    no_answer_ring: Duration | Pair = 45.0
    refused_ring: Duration | Pair = 4.0


class Flap(_Part, frozen=True, kw_only=True):
    """A duty cycle inside a phase: it begins down (the fault strikes), then up, and so on."""

    up: PositiveDuration
    down: PositiveDuration


class Drip(_Part, frozen=True, kw_only=True):
    """The answer comes in pieces of so many `bytes`, one `every` so often."""

    bytes: Annotated[int, Meta(ge=1)] = 1
    every: PositiveDuration


class RateLimit(_Part, frozen=True, kw_only=True):
    """A token bucket: `rps` requests a second, `burst` at once; what is over is refused.

    `retry_after: auto` tells how long until the next token; `none` tells nothing.
    """

    rps: Annotated[float, Meta(gt=0)]
    burst: Annotated[int, Meta(ge=1)] = 1
    status: Refusal = 429
    retry_after: Duration | Literal["auto", "none"] = "auto"
    body: Any = None


class Quota(_Part, frozen=True, kw_only=True):
    """After `limit` requests the account is out of credit.

    Without `status` and `body` it is said in the words of the service: 401 by the voice platform
    and the models, 429 with a daily limit by the CRM.
    """

    limit: Amount
    status: Refusal | None = None
    body: Any = None


class Fault(_Part, frozen=True, kw_only=True):
    """What goes wrong: exactly one kind; `latency` may also delay another kind.

    `applied` is the probability that the provider did the work behind the error. Under `refuse`,
    `dns` and `blackhole` no request leaves. With `--wire` what they strike meets a port that is
    shut in truth, and `dns` is a refused connection: no name is looked up outside this machine.
    """

    status: Status | None = None
    body: Any = None
    headers: dict[str, str] = {}
    retry_after: Duration | None = None
    latency: LatencySpec | None = None
    hang: bool = False
    refuse: bool = False
    blackhole: bool = False
    dns: bool = False
    reset: Literal["before", "mid_body"] | None = None
    truncate: Literal["length", "chunked"] | None = None
    garbage: bool = False
    malformed: bool = False
    drip: Drip | None = None
    rate_limit: RateLimit | None = None
    quota: Quota | None = None
    stale_keepalive: bool = False
    overloaded: bool = False
    silent: bool = False
    applied: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Phase(_Part, frozen=True, kw_only=True):
    """One entry of the timeline: a fault that lasts, or (`do`) something done to the process.

    `kill` cuts the worker off as a power failure would, `stop` lets its calls in flight end as a
    SIGTERM does. Under both the next worker begins `restart_after` later, and without it at once,
    as under a supervisor; a `stop` that lasts longer than that is waited for. `clock_step` sets
    the calendar of the worker's machine `by` so much.
    """

    name: Name
    at: Duration
    for_: PositiveDuration | None = field(default=None, name="for")
    until: Duration | None = None
    target: str = ""
    probability: Probability = 1.0
    flap: Flap | None = None
    may_miss: bool = False
    fault: Fault | None = None
    do: Literal["kill", "stop", "clock_step"] | None = None
    restart_after: Duration | None = None
    by: Shift | None = None

    @property
    def ends_at(self) -> float:
        """When it is over; never for a phase without an end."""
        if self.for_ is not None:
            return self.at + self.for_
        return float("inf") if self.until is None else self.until


class Until(_Part, frozen=True, kw_only=True):
    """When the world ends: when the campaign has come to its end, at the latest after `at_most`.

    That it comes to its end is expected unless `finished` is false: then the world may also be cut
    off at its bound with calls that still wait.
    """

    finished: bool = True
    at_most: PositiveDuration


class LogExpectation(_Part, frozen=True, kw_only=True):
    """A pattern over the events: `event` and the fields in `where`, globs allowed.

    A number may also have bounds there: `due_in_s: {at_least: 3600}`.
    `within` bounds the time from the moment `of` (`outage.start`, `outage.end`; the start of the
    world when it is not given); `times` is how many must match, `sleeps` the delays of the
    retries of one call in a row.
    """

    event: str
    where: dict[str, Any] = {}
    within: PositiveDuration | None = None
    of: str = ""
    during: str = ""
    times: Count | None = None
    sleeps: list[Duration] = []


class WireExpectation(_Part, frozen=True, kw_only=True):
    """How many requests a twin received; `target` is a service or one of its operations."""

    target: str
    requests: Count
    during: str = ""
    health: bool = False


class ReachedExpectation(_Part, frozen=True, kw_only=True):
    """How often a phase's fault struck."""

    phase: str
    target: str = ""
    hits: Count = Range(at_least=1)


class OutcomeExpectation(_Part, frozen=True, kw_only=True):
    """How many calls end in each state, and how many phones rang (`dialed`)."""

    pending: Count | None = None
    active: Count | None = None
    backoff: Count | None = None
    parked: Count | None = None
    reconciling: Count | None = None
    scheduled: Count | None = None
    done: Count | None = None
    failed: Count | None = None
    review: Count | None = None
    excluded: Count | None = None
    cancelled: Count | None = None
    dialed: Count | None = None


class Expect(_Part, frozen=True, kw_only=True):
    """What must be true; `breaks` names invariants that this scenario breaks on purpose."""

    always: list[InvariantName] = []
    breaks: list[InvariantName] = []
    outcome: OutcomeExpectation = OutcomeExpectation()
    log: list[LogExpectation] = []
    never: list[LogExpectation] = []
    wire: list[WireExpectation] = []
    reached: list[ReachedExpectation] = []


class Scenario(_Part, frozen=True, kw_only=True):
    """One file: a world, what goes wrong in it, and what is expected of callagent."""

    callagent: Literal["scenario/v1"]
    name: Name
    title: Annotated[str, Meta(min_length=1, max_length=160)]
    seed: Seed = 7
    campaign: CampaignSpec
    settings: Settings = Settings()
    services: ServicesSpec = ServicesSpec()
    people: People = People()
    timeline: list[Phase] = []
    until: Until
    expect: Expect = Expect()

    def phase(self, name: str) -> Phase:
        """Return a phase of the timeline."""
        return next(phase for phase in self.timeline if phase.name == name)
