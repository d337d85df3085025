"""Nobody is dialed twice without proof that the first dial placed no call."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from callagent_cli.events import CallChanged, DialSettled
from callagent_cli.simulation.judge.evidence import (
    Broken,
    Case,
    Evidence,
    Place,
    See,
    Sight,
    Watcher,
)
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest

_DIAL: Final = "elevenlabs.dial"
_LOOK_UP: Final = "elevenlabs.look_up"
_REFUSALS: Final = range(400, 500)
_OK: Final = 200
_INSTEAD: Final = "answer"
"""The fault that answers in the provider's place: what it says of a call proves nothing."""

_NEVER: Final = float("inf")

_RINGS: Final = "{rings}"
"""Stands in a text for how often a phone rang in all, which is known at the end."""


class _Dialed(NamedTuple):
    """A dial of a call: when it reached the twin, and whether a phone rang."""

    call: str
    attempt: str
    at_s: float
    rang: bool


@dataclass(slots=True)
class _Suspect:
    """A dial after another one; what excuses it may still be told in this very instant."""

    before: _Dialed
    at_s: float
    text: str
    place: Place


class NobodyDialedTwice(Watcher):
    """Every dial of a person after the first had a proof, or was a redial.

    Two rules, both over what the twins saw: a phone rings again only after the worker knew that
    it had rung and had scheduled a redial; and a request that might ring a phone follows another
    only when that one was refused for certain or a look-up came back in between.
    """

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._voice = case.settings.services.elevenlabs
        self._redials = _Redials(case.slack_s)
        self._rung: dict[tuple[str, str], _Dialed] = {}
        self._unproven: dict[str, _Dialed] = {}
        self._rung_again = _Suspects()
        self._dialed_again = _Suspects()

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {
            DialSettled: self._settled,
            CallChanged: self._moved,
            ReceivedRequest: self._received,
            PlacedCall: self._placed,
        }

    def finish(self, evidence: Evidence) -> Broken | None:
        """Return the first phone that rang again, else the first dial without a proof."""
        suspect = self._rung_again.first(self._redials)
        if suspect is not None:
            call = suspect.before.call
            rings = sum(each.call_id == call for each in evidence.rung)
            text = suspect.text.replace(_RINGS, str(rings))
        else:
            suspect = self._dialed_again.first(self._redials)
            text = "" if suspect is None else suspect.text
        return None if suspect is None else Broken(text=text, sight=suspect.place.sight)

    def _settled(self, event: DialSettled, sight: Sight) -> None:
        if event.status == "placed":
            self._settle(sight.at_s)
            dialed = self._unproven.get(event.call)
            known = dialed is not None and dialed.attempt == event.dial
            # Of two equal texts one is kept: a day has tens of thousands of them.
            dial = dialed.attempt if dialed is not None and known else event.dial
            self._redials.placed.setdefault(dial, sight.at_s)

    def _moved(self, event: CallChanged, sight: Sight) -> None:
        if event.new == "scheduled" or (event.new == "pending" and event.old == "review"):
            self._settle(sight.at_s)
            self._redials.scheduled[event.call] = sight.at_s

    def _settle(self, at_s: float) -> None:
        self._rung_again.settle(self._redials, at_s)
        self._dialed_again.settle(self._redials, at_s)

    def _placed(self, call: PlacedCall, sight: Sight) -> None:
        # Two people may share a number, with different extensions: the call tells them apart.
        person = (call.number, call.call_id)
        before = self._rung.get(person)
        at_s = sight.at_s
        self._rung[person] = _Dialed(call.call_id, call.attempt_id, at_s, rang=True)
        if before is not None and not self._redials.allow(before, at_s):
            text = (
                f"…{call.number[-3:]} rang {_RINGS} times: at {before.at_s:.1f} s and again at "
                f"{at_s:.1f} s, by {call.call_id}"
            )
            self._rung_again.add(_Suspect(before, at_s, text, self.case.instant.place(at_s)))

    def _received(self, request: ReceivedRequest, sight: Sight) -> None:
        call = request.call_id
        if request.target == _LOOK_UP:
            before = self._unproven.get(call)
            if before is not None and not before.rang and self._is_proof(request):
                del self._unproven[call]
        elif request.target == _DIAL:
            before = self._unproven.get(call)
            if before is not None and not self._redials.allow(before, sight.at_s):
                text = f"{call} was dialed again at {sight.at_s:.1f} s without proof"
                place = self.case.instant.place(sight.at_s)
                self._dialed_again.add(_Suspect(before, sight.at_s, text, place))
            if self._is_refused(request):
                self._unproven.pop(call, None)
            else:
                dialed = _Dialed(call, request.attempt_id, sight.at_s, request.effect)
                # The phone that rang is remembered already: one of two equals is enough.
                rang = self._rung.get((request.number, call))
                self._unproven[call] = rang if rang == dialed else dialed

    def _is_proof(self, request: ReceivedRequest) -> bool:
        """Whether a look-up came back in time, with the provider's own answer."""
        is_own = request.status == _OK and request.fault != _INSTEAD
        return is_own and self._is_in_time(request, self._voice.look_up_timeout_s)

    def _is_refused(self, request: ReceivedRequest) -> bool:
        """Whether an answer said for certain, and in time, that no phone rang."""
        if request.effect or not self._is_in_time(request, self._voice.dial_timeout):
            return False
        return request.status in _REFUSALS or request.status == _OK

    def _is_in_time(self, request: ReceivedRequest, timeout_s: float) -> bool:
        return request.after_s <= timeout_s + self.case.slack_s


class _Redials:
    """When the worker knew of each placed dial, and when it last scheduled each call again."""

    def __init__(self, slack_s: float) -> None:
        self.slack_s = slack_s
        self.placed: dict[str, float] = {}
        self.scheduled: dict[str, float] = {}

    def allow(self, before: _Dialed, at_s: float) -> bool:
        """Whether by an instant a dial was known to have rung and its call scheduled again."""
        known_s = self.placed.get(before.attempt)
        if not before.rang or known_s is None or known_s > at_s + self.slack_s:
            return False
        scheduled_s = self.scheduled.get(before.call, -_NEVER)
        since_s = max(known_s, before.at_s)
        return since_s - self.slack_s <= scheduled_s <= at_s + self.slack_s


class _Suspects:
    """Dials in the order they came, until each is excused or the first one is certain."""

    def __init__(self) -> None:
        self._waiting: deque[_Suspect] = deque()
        self._certain: _Suspect | None = None

    def add(self, suspect: _Suspect) -> None:
        """Remember a dial that nothing excuses so far."""
        if self._certain is None:
            self._waiting.append(suspect)

    def settle(self, redials: _Redials, at_s: float) -> None:
        """Decide about those whose instant is over, before something new becomes known."""
        while self._waiting and self._waiting[0].at_s + redials.slack_s < at_s:
            suspect = self._waiting.popleft()
            if not redials.allow(suspect.before, suspect.at_s):
                self._certain = suspect
                self._waiting.clear()

    def first(self, redials: _Redials) -> _Suspect | None:
        """Return the first dial that nothing excuses."""
        if self._certain is not None:
            return self._certain
        for suspect in self._waiting:
            if not redials.allow(suspect.before, suspect.at_s):
                return suspect
        return None
