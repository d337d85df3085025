"""The dial ledger's rules: when a dial may go out, and what a look-up proves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from callagent_cli.calls.model import OPEN_DIALS, Dial, DialStatus

_THOUGHT_ABSENT: Final = frozenset({DialStatus.ABSENT, DialStatus.REFUSED})


class Found(Protocol):
    """A call the provider knows of; `attempt_id` is the dial id it echoes, if it echoes one."""

    @property
    def conversation(self) -> str:
        """The provider's id of the call."""

    @property
    def attempt_id(self) -> str | None:
        """The id of the dial that placed it."""


F = TypeVar("F", bound=Found)


@dataclass(frozen=True, slots=True)
class Graces:
    """How long after a dial's end its absence is proof, in seconds.

    `unknown_s` for a lost answer, `refused_s` for a 503 or 529: the assumption is that a provider
    lists a placed call within that time.
    """

    unknown_s: float
    refused_s: float


def open_dial(dials: Iterable[Dial]) -> Dial | None:
    """Return the dial that may have rung and is not settled; there is never more than one."""
    return next((dial for dial in dials if dial.status in OPEN_DIALS), None)


def proof_wait_s(dial: Dial, waited_s: float, graces: Graces) -> float:
    """Return the seconds until the absence of this dial's call is proof; 0 when it is already.

    `waited_s` is how long ago the dial ended, on a clock that nobody can set: a calendar set
    forward must not turn a dial that has only just ended into a proven absence.
    """
    grace_s = graces.refused_s if dial.status is DialStatus.UNPROVEN else graces.unknown_s
    return max(0.0, grace_s - waited_s)


def match(dial: Dial, found: Iterable[F], known: frozenset[str]) -> F | None:
    """Return the call that this dial placed, if it is among those the provider found.

    `known` are the conversations of the person's other dials. A call that echoes no dial id is
    taken for this dial's: mistaking it for another one could ring a person twice.
    """
    candidates = [call for call in found if call.conversation not in known]
    exact = next((call for call in candidates if call.attempt_id == dial.id), None)
    return exact or next((call for call in candidates if not call.attempt_id), None)


def found_late(dials: Iterable[Dial], found: Iterable[F]) -> list[tuple[Dial, F]]:
    """Return the dials that were taken for absent or refused, with the calls that they did place.

    A provider that lists its calls later than it is believed to shows them in a later look-up.
    """
    placed = {call.attempt_id: call for call in found}
    return [
        (dial, placed[dial.id])
        for dial in dials
        if dial.status in _THOUGHT_ABSENT and dial.id in placed
    ]
