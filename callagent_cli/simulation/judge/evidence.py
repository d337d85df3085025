"""What the judge works with: watchers that look on while a world runs, and how that world ended.

A watcher keeps what its rule needs of each call or service, never the events themselves, so that a
day of ten thousand calls is judged in little memory. Looking on changes nothing in the world.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from callagent_cli.events import Stamped
from callagent_cli.resilience.policy import Policy
from callagent_cli.settings import Settings
from callagent_cli.simulation.judge.log import Log
from callagent_cli.simulation.recording.recording import Recording
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest

TOLERANCE_S: Final = 1e-3
"""Instants closer than this are the same: UTC seconds as floats are exact to some 0.2 µs only."""


class Sight(NamedTuple):
    """When something was seen: the second of the world, and the last line of the log by then.

    `stamped` is that line's event; line and event are 0 and `None` before the first one.
    """

    at_s: float
    line: int
    stamped: Stamped | None


class Instant:
    """The events of the last instant, by which a moment finds its line of the log."""

    def __init__(self) -> None:
        self._recent: deque[Sight] = deque()
        self._unplaced: list[Place] = []

    def take(self, sight: Sight) -> None:
        """Take in the next event."""
        recent = self._recent
        recent.append(sight)
        since_s = sight.at_s - TOLERANCE_S
        # The last event stays, however long ago it was.
        while recent[0].at_s < since_s:
            recent.popleft()
        if self._unplaced:
            for place in self._unplaced:
                place.sight = sight
            self._unplaced.clear()

    def place(self, at_s: float) -> "Place":
        """Return the first event at or after a moment that has just come."""
        recent = self._recent
        last = recent[-1] if recent else Sight(at_s, 0, None)
        for sight in recent:
            if sight.at_s >= at_s - TOLERANCE_S:
                return Place(sight)
        place = Place(last)
        self._unplaced.append(place)
        return place


class Place:
    """A line of the log that may still be to come; until then it is the last one."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known of a world before it runs, and is the same for all who watch it.

    `slack_s` is within how many seconds two instants count as the same.
    """

    scenario: Scenario
    settings: Settings
    slack_s: float = TOLERANCE_S
    instant: Instant = field(default_factory=Instant)

    def policies(self) -> dict[str, Policy]:
        """Return what the settings ask of each service's Guard."""
        services = self.settings.services
        names = ("elevenlabs", "llm", "crm")
        policies: dict[str, Policy] = {name: getattr(services, name).policy for name in names}
        if services.llm.fallback is not None:
            policies["llm_fallback"] = services.llm.fallback.policy
        return policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Why something does not hold, and the first event of the log that shows it, if one does."""

    text: str
    sight: Sight | None = None

    @property
    def line(self) -> int:
        """The line of the log, 0 for none."""
        return 0 if self.sight is None else self.sight.line


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One judged expectation: `kind` is always, outcome, log, never, wire or reached.

    `line` is the first line of the log that breaks it (0 for none), `stamped` its event.
    """

    kind: str
    title: str
    held: bool
    text: str = ""
    line: int = 0
    stamped: Stamped | None = None

    def __str__(self) -> str:
        mark = "✓" if self.held else "✗"
        never = "never: " if self.kind == "never" else ""
        place = f" (line {self.line})" if self.line else ""
        return f"{mark} {never}{self.title}{f': {self.text}' if self.text else ''}{place}"


def finding(kind: str, title: str, broken: Broken | None, *, held: bool = False) -> Finding:
    """Return a finding: held when nothing is broken, or when `held` says so all the same."""
    if broken is None:
        return Finding(kind=kind, title=title, held=True)
    return Finding(
        kind=kind,
        title=title,
        held=held,
        text=broken.text,
        line=broken.line,
        stamped=None if broken.sight is None else broken.sight.stamped,
    )


See = Callable[[Any, Sight], None]
"""Looks at an event, a received request or a placed call."""


class Watcher:
    """Looks on for one rule while a world runs; what it saw is judged at the end."""

    kind = "always"

    def __init__(self, case: Case, title: str = "") -> None:
        self.case = case
        self.title = title

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what: classes of events, `ReceivedRequest` and `PlacedCall`."""
        return {}

    def end_run(self, last_s: float) -> None:
        """Note that a run told its last event at a second of the world, and another one begins."""

    def end_world(self, last_s: float) -> None:
        """Note that the last run told its last event at a second of the world."""
        self.end_run(last_s)

    def finish(self, evidence: "Evidence") -> Broken | None:
        """Return why the rule does not hold, or nothing; changes nothing."""
        raise NotImplementedError

    def finding(self, evidence: "Evidence") -> Finding:
        """Return what is concluded."""
        return finding(self.kind, self.title, self.finish(evidence))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """How a world ended, and who has watched it.

    `totals` counts the calls by state in the store, `ledger` what the twins received by service;
    `rung` holds the phones that rang, `hits` the strikes of each phase by target; `stuck` names the
    calls that hang, and on what. `fidelity_s` is how late a loop on the real clock ran at worst, in
    seconds of the world. `recording` is there when the world was asked to keep everything. `missed`
    names the kills that a person has asked for, and that struck nobody.
    """

    scenario: Scenario
    settings: Settings
    watchers: Sequence[Watcher]
    log: Log
    totals: Mapping[str, int]
    finished: bool
    ended_at_s: float
    start_utc_s: float
    ledger: Mapping[str, int] = field(default_factory=dict)
    rung: Sequence[PlacedCall] = ()
    hits: Mapping[tuple[str, str], int] = field(default_factory=dict)
    offsets_s: Mapping[str, float] = field(default_factory=dict)
    stuck: Sequence[str] = ()
    fidelity_s: float = 0.0
    recording: Recording | None = None
    missed: Sequence[str] = ()

    def at_s(self, stamped: Stamped) -> float:
        """Return the second of the world at which an event happened, whatever the calendar says."""
        return stamped.monotonic_s + self.offsets_s.get(stamped.run, 0.0)

    @property
    def placed(self) -> list[PlacedCall]:
        """The phones that rang, taken out of the memory that a day of them is kept in."""
        return list(self.rung)

    @property
    def events(self) -> Iterator[Stamped]:
        """The events of all runs in order; only of a recorded world."""
        return self._recorded().events()

    @property
    def requests(self) -> Iterator[ReceivedRequest]:
        """The requests that reached a twin, in order; only of a recorded world."""
        return self._recorded().requests()

    def _recorded(self) -> Recording:
        if self.recording is None:
            raise ValueError("this world was not recorded: ask for it with `record=True`")
        return self.recording
